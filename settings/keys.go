package settings

import (
	"cmp"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"

	"github.com/shopspring/decimal"
)

// readKeys builds the keys: those of the file, or the single one of flags, inputs and environment.
func (l *loader) readKeys() {
	switch {
	case l.out.Sandbox && l.file == nil:
	case l.file == nil || l.file.keysAt == (Source{}):
		l.out.Keys = []Key{l.singleKey()}
	default:
		l.refuseSingle()
		for _, n := range l.file.keys {
			l.checkPlaces(n)
			if n.forEach != nil {
				l.out.Keys = append(l.out.Keys, l.templateKey(n))
			} else {
				l.out.Keys = append(l.out.Keys, l.fleetKey(n))
			}
		}
	}
}

// refuseSingle refuses what describes a single key while the file describes several.
func (l *loader) refuseSingle() {
	for _, r := range table() {
		if src := l.values[r.name].src; r.single() && src.Layer > File {
			l.add(src, bad("move it into the file, or leave keys out of it",
				"it describes a single key, but %s describes keys", l.file.keysAt))
		}
	}
}

// singleKey builds the key that needs no file.
func (l *loader) singleKey() Key {
	var options []entry
	if l.file != nil {
		options = l.file.options
	}
	name := l.values["key-name"]
	key := l.policy(name, options, func(r row) value { return l.values[r.name] })
	key.Targets = l.singleTargets()
	return key
}

// singleTargets are the secret and the file of the single key. The secret is meant if any of its settings is given, or
// if no file is.
func (l *loader) singleTargets() []Target {
	var targets []Target
	file, name := l.values["key-file"], l.values["secret-name"]
	repo, env := l.values["secret-repository"], l.values["secret-environment"]
	wanted := file.text == "" || name.src.Given() || repo.src.Given() || env.src.Given()
	if repo.text == "" {
		repo = l.values["github-repository"]
	}
	if wanted && repo.text != "" {
		targets = append(targets, Target{Repository: read(l, repo, parseRepository), Environment: read(l, env, parseEnvironment),
			Store: StoreActions, Secret: read(l, name, parseSecretName), From: name.src})
	}
	if wanted && repo.text == "" && l.out.Does(PartRotate) {
		l.missing("secret-repository", "missing, and this repository is not known")
	}
	if file.text != "" {
		l.add(file.src, checkKeyFile(file.text, l.out.Workspace, l.writesInActions()))
		targets = append(targets, Target{File: read(l, file, parsePath), From: file.src})
	}
	return targets
}

// fleetKey builds one key of the file; what it leaves out comes from defaults.
func (l *loader) fleetKey(n keyNode) Key {
	if n.name.text == "" {
		l.add(n.at, bad("give name", "the key has no name"))
		n.name.src = n.at
	}
	options := n.options
	for _, o := range l.file.options {
		if !slices.ContainsFunc(n.options, func(e entry) bool { return e.name == o.name }) {
			options = append(options, o)
		}
	}
	budgeted := n.values["max_budget"].text != "" || l.values["max-budget"].text != ""
	key := l.policy(n.name, options, func(r row) value {
		if v, ok := n.values[r.field()]; ok {
			return v
		}
		if r.name == "budget-duration" && !budgeted {
			return value{} // the default window is for those that have a budget
		}
		return l.values[r.name]
	})
	key.From, key.Dispatch = n.at, read(l, n.dispatch, parseRepository)
	if len(n.targets) == 0 && l.out.Does(PartRotate) {
		l.add(n.at, bad("give it targets", "the key has nowhere to go"))
	}
	for _, t := range n.targets {
		key.Targets = append(key.Targets, l.fleetTarget(t))
	}
	return key
}

// policy builds all of a key but its targets. of gives the value of a row for this key.
func (l *loader) policy(name value, options []entry, of func(row) value) Key {
	values := map[string]value{}
	for _, r := range table() {
		if f := r.field(); f != "" {
			values[f] = of(r)
		}
	}
	key := Key{
		Name:             read(l, name, parseKeyName),
		Adopt:            read(l, values["adopt"], parseBool),
		BudgetDuration:   read(l, values["budget_duration"], parseBudgetDuration),
		Models:           readItems(l, values["models"], parseText),
		RotationInterval: read(l, values["rotation_interval"], parseDuration),
		GracePeriod:      read(l, values["grace_period"], parseDuration),
		MaxGracePeriod:   read(l, values["max_grace_period"], parseDuration),
		BlockInUse:       read(l, values["block_in_use"], parseBool),
		Thresholds:       readItems(l, values["thresholds"], parseThreshold),
		From:             name.src,
	}
	if values["max_budget"].text != "" {
		key.MaxBudget = decimal.NewNullDecimal(read(l, values["max_budget"], parseMoney))
	}
	key.Alerts = l.alerts(values)
	l.checkPolicy(&key, values)
	key.Options, key.TeamID = l.options(options)
	return key
}

// checkPolicy holds the values of one key against each other.
func (l *loader) checkPolicy(key *Key, values map[string]value) {
	slices.SortFunc(key.Thresholds, decimal.Decimal.Cmp)
	if len(slices.CompactFunc(slices.Clone(key.Thresholds), decimal.Decimal.Equal)) < len(key.Thresholds) {
		l.add(values["thresholds"].src, bad("write each once", "a threshold is there twice"))
	}
	for _, field := range []string{"models", "thresholds"} {
		if v := values[field]; v.src.Given() && len(v.list()) == 0 {
			l.add(v.src, bad("fill it in or leave it out", "%s is empty", field))
		}
	}
	if !key.MaxBudget.Valid && key.BudgetDuration != "" {
		l.add(values["budget_duration"].src, bad("give max budget as well", "a budget duration without a budget limits nothing"))
	}
	interval, grace, most := values["rotation_interval"], values["grace_period"], values["max_grace_period"]
	if key.RotationInterval == 0 && parses(interval) {
		l.add(interval.src, bad("write a duration such as 30d", "the rotation interval is nothing"))
	}
	if parses(interval) && parses(grace) && key.RotationInterval > 0 && key.GracePeriod >= key.RotationInterval {
		l.add(stronger(grace.src, interval.src), bad("shorten the grace period or lengthen the rotation interval",
			"the grace period %s is not shorter than the rotation interval %s", showDuration(key.GracePeriod), showDuration(key.RotationInterval)))
	}
	if parses(grace) && parses(most) && key.MaxGracePeriod < key.GracePeriod {
		l.add(stronger(most.src, grace.src), bad("make the longest at least as long",
			"the longest grace period %s is shorter than the grace period %s", showDuration(key.MaxGracePeriod), showDuration(key.GracePeriod)))
	}
}

// parses reports whether a duration was read, so that a rule about it makes sense.
func parses(v value) bool {
	_, p := parseDuration(v.text)
	return p == nil
}

// stronger returns the source that a person gave, rather than a default; the first if both or neither.
func stronger(a, b Source) Source {
	if !a.Given() && b.Given() {
		return b
	}
	return a
}

// ownedOptions are the fields of a LiteLLM key that the tool sets by itself, and how else to set them.
func ownedOptions() map[string]string {
	return map[string]string{
		"key": "", "key_alias": "name", "user_id": "", "max_budget": "max_budget", "budget_duration": "budget_duration",
		"models": "models", "metadata": "", "spend": "", "blocked": "", "duration": "rotation_interval",
		"budget_id": "", "budget_limits": "", "auto_rotate": "", "rotation_interval": "rotation_interval",
		"grace_period": "grace_period", "send_invite_email": "", "temp_budget_increase": "max_budget",
		"temp_budget_expiry": "max_budget", "agent_id": "", "token": "", "expires": "", "created_by": "",
	}
}

// options reads key_options and refuses what is not theirs to set. nil and "" if there are none.
func (l *loader) options(entries []entry) (options map[string]any, team string) {
	for _, e := range entries {
		if instead, owned := ownedOptions()[e.name]; owned {
			remedy := "leave it out"
			if instead != "" {
				remedy = "give " + instead + " outside of key_options"
			}
			l.add(e.at, bad(remedy, "%s in key_options is set by the tool itself", e.name))
			continue
		}
		if options == nil {
			options = map[string]any{}
		}
		options[e.name] = l.file.doc.free(e.value, 0)
		if e.name == "team_id" {
			id, ok := options[e.name].(string)
			if !ok || id == "" || hasControl(id) {
				l.add(e.at, bad("write the team's id in quotes", "team_id is no text"))
			}
			team = id
		}
	}
	if _, err := json.Marshal(options); err != nil {
		l.add(entries[0].at, bad("write plain values", "key_options cannot be sent: %v", err))
	}
	return options, team
}

// fleetTarget builds one target of the file.
func (l *loader) fleetTarget(n targetNode) Target {
	v := n.values
	t := Target{
		Repository:   read(l, v["repository"], parseRepository),
		Environment:  read(l, v["environment"], parseEnvironment),
		Organization: read(l, v["organization"], parseOrganization),
		Store:        read(l, v["store"], parseChoice([]string{StoreActions, StoreDependabot, StoreCodespaces})),
		Secret:       read(l, v["secret"], parseSecretName),
		Visibility:   read(l, v["visibility"], parseChoice([]string{"all", "private", "selected"})),
		File:         read(l, v["file"], parsePath),
		From:         n.at,
	}
	places := 0
	for _, field := range []string{"repository", "organization", "file"} {
		if v[field].text != "" {
			places++
		}
	}
	if places != 1 {
		l.add(n.at, bad("give one of repository, organization and file", "the target names %d places", places))
		return t
	}
	if v["file"].text != "" {
		l.fileTarget(n, &t)
		return t
	}
	l.secretTarget(n, &t)
	return t
}

// writesInActions reports whether targets are written by a job in Actions. Other commands may read a configuration
// whose keys a service rotates, and the sandbox's own is not from a checkout.
func (l *loader) writesInActions() bool {
	return l.out.InActions && !l.out.Sandbox && l.out.Does(PartRotate)
}

func (l *loader) fileTarget(n targetNode, t *Target) {
	for _, field := range []string{"environment", "store", "secret", "visibility"} {
		if n.values[field].text != "" {
			l.add(n.values[field].src, bad("leave it out", "%s is for secrets, not for files", field))
		}
	}
	l.add(n.values["file"].src, checkKeyFile(n.values["file"].text, l.out.Workspace, l.writesInActions()))
	if n.reload == nil {
		return
	}
	l.add(n.reload[0].src, checkReload(l.writesInActions()))
	for _, part := range n.reload {
		if hasControl(part.text) || part.text == "" {
			l.add(part.src, bad("write one word", "a part of reload is empty or holds a control character"))
		}
		t.Reload = append(t.Reload, part.text)
	}
	if !filepath.IsAbs(n.reload[0].text) {
		l.add(n.reload[0].src, bad("write its absolute path", "reload names its program %s without a path", quote(n.reload[0].text)))
	}
}

func (l *loader) secretTarget(n targetNode, t *Target) {
	t.Store = cmp.Or(t.Store, StoreActions)
	if n.values["secret"].text == "" {
		l.add(n.at, bad("give secret, such as LITELLM_API_KEY", "the target names no secret"))
	}
	if n.reload != nil {
		l.add(n.reload[0].src, bad("leave it out", "reload is for files, not for secrets"))
	}
	if t.Organization == "" && t.Visibility != "" {
		l.add(n.values["visibility"].src, bad("leave it out", "only an organization's secret has a visibility"))
	}
	if t.Environment == "" {
		return
	}
	if t.Repository == "" || t.Store != StoreActions {
		l.add(n.values["environment"].src, bad("give a repository and no other store", "only a repository's Actions secrets have environments"))
	}
}

// same identifies the place a target writes to, as GitHub and file systems tell places apart.
func (t Target) same() string {
	if t.File != "" {
		return "file|" + filepath.Clean(t.File)
	}
	return strings.ToLower(strings.Join([]string{t.Repository, t.Organization, t.Environment, t.Store, t.Secret}, "|"))
}
