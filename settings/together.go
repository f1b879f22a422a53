package settings

import "slices"

// checkTogether holds settings against each other that only make sense together.
func (l *loader) checkTogether() {
	l.checkNames()
	l.checkTargets()
	if !l.out.Sandbox {
		l.checkTokens()
		l.checkSlack()
	}
	if l.out.Owner == "" && l.out.Does(PartRotate) && !l.out.Sandbox && l.values["owner"].text == "" {
		l.missing("owner", "missing, and this repository is not known")
	}
}

// checkNames wants every name once, and those asked for to exist.
func (l *loader) checkNames() {
	seen := map[string]Source{}
	for _, k := range l.out.Keys {
		if first, twice := seen[k.Name]; twice && k.Name != "" {
			l.add(k.From, bad("name each key once", "key %s is also at %s", quote(k.Name), first))
		}
		seen[k.Name] = k.From
	}
	if slices.ContainsFunc(l.out.Keys, func(k Key) bool { return k.ForEach != nil }) {
		return // which names there are is not known yet
	}
	for _, name := range l.out.Names {
		if _, known := seen[name]; !known && len(l.out.Keys) > 0 {
			l.add(l.values["names"].src, bad("name a key of the configuration", "there is no key %s", quote(name)))
		}
	}
}

// checkTargets wants every place to be written by one key only.
func (l *loader) checkTargets() {
	seen := map[string]Source{}
	for _, k := range l.out.Keys {
		for _, t := range k.Targets {
			if first, twice := seen[t.same()]; twice {
				l.add(t.From, bad("write each place once", "the same target is also at %s", first))
			}
			seen[t.same()] = t.From
		}
	}
}

// checkTokens wants the tokens without which a part of the work is sure to fail.
func (l *loader) checkTokens() {
	secretTarget, listed := false, false
	for _, k := range l.out.Keys {
		secretTarget, listed = secretTarget || k.Dispatch != "", listed || k.ForEach != nil
		for _, t := range k.Targets {
			secretTarget = secretTarget || t.File == ""
		}
	}
	l.checkApp()
	if (secretTarget || listed) && l.out.Does(PartRotate) && !l.writesSecrets() {
		l.missing("secrets-token", "missing, and GITHUB_TOKEN can never write secrets")
	}
	if listed && !l.writesSecrets() && !l.out.Does(PartRotate) {
		l.missing("secrets-token", "missing, and without it nothing can be found for for_each")
	}
	if tokens := l.out.GitHub; !tokens.SecretsToken.IsZero() && tokens.SecretsToken.Equal(tokens.Token) {
		l.warn(l.values["secrets-token"].src, "it is the same as github-token; the workflow's own token can never write secrets")
	}
	if l.out.Report.IssueRepository != "" && l.out.Does(PartReport) && l.values["github-token"].text == "" {
		l.missing("github-token", "missing, and without it issue-repository does nothing")
	}
}

// writesSecrets reports whether there is a token or an App to write secrets with.
func (l *loader) writesSecrets() bool {
	return l.values["secrets-token"].text != "" || l.values["app-id"].text != ""
}

// checkApp wants an App whole, and not beside a token.
func (l *loader) checkApp() {
	id, key, token := l.values["app-id"], l.values["app-private-key"], l.values["secrets-token"]
	switch {
	case id.text == "" && key.text == "":
		if only := l.values["app-installation-id"]; only.text != "" {
			l.add(only.src, bad("give app-id and app-private-key as well", "an installation without its App does nothing"))
		}
		return
	case id.text == "":
		l.missing("app-id", "missing, and app-private-key does nothing without it")
	case key.text == "":
		l.missing("app-private-key", "missing, and app-id does nothing without it")
	}
	if token.text != "" {
		l.add(stronger(id.src, key.src), bad("give one of them", "secrets-token is given too, and both write secrets"))
	}
}

// checkSlack wants a channel for the bot, and one way into Slack.
func (l *loader) checkSlack() {
	bot, hook, channel := l.values["slack-bot-token"], l.values["slack-webhook-url"], l.values["slack-channel"]
	switch {
	case bot.text != "" && hook.text != "":
		l.add(hook.src, bad("give one of them", "slack-bot-token is given too, and both would tell everything twice"))
	case bot.text != "" && channel.text == "":
		l.missing("slack-channel", "missing, and slack-bot-token does nothing without it")
	case bot.text == "" && hook.text == "" && channel.text != "":
		l.warn(channel.src, "nobody is told in Slack: there is no slack-bot-token")
	}
	if critical := l.values["slack-critical-channel"]; critical.text != "" && bot.text == "" {
		l.warn(critical.src, "nobody is told there: there is no slack-bot-token")
	}
}
