package main

import (
	"context"
	"errors"

	"github.com/org/openclaw-litellm-action/github"
	"github.com/org/openclaw-litellm-action/litellm"
	"github.com/org/openclaw-litellm-action/openclaw"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/settings"
)

// policyOf turns one configured key into what rotate works on.
func (b *bot) policyOf(k settings.Key) rotate.Policy {
	p := rotate.Policy{
		Name: k.Name, Owner: b.set.Owner, Adopt: k.Adopt,
		MaxBudget: k.MaxBudget, BudgetDuration: k.BudgetDuration, Models: k.Models,
		Options: litellm.Fields(k.Options), TeamID: k.TeamID,
		Template: k.Template, Repository: k.RepositoryID, Early: rotate.Spread(k.Name, k.RotationInterval, len(b.set.Keys)),
		Interval: k.RotationInterval, Grace: k.GracePeriod, MaxGrace: k.MaxGracePeriod, BlockInUse: k.BlockInUse,
	}
	for _, t := range k.Targets {
		p.Targets = append(p.Targets, b.targetOf(t))
	}
	return p
}

func (b *bot) targetOf(t settings.Target) rotate.Target {
	if t.File != "" {
		file := b.keyFileOf(t)
		return advisedFile{advisedTarget{file, func(err error) error {
			return advise(err, func(e error) (string, string) { return t.From.String(), fileRemedy(e) })
		}}, file}
	}
	target := &github.SecretTarget{
		Client: b.secrets.client(ownerOf(t)), Name: t.Secret, RepositoryID: t.RepositoryID, Visibility: t.Visibility,
		Scope: github.Scope{
			Repository: t.Repository, Environment: t.Environment, Organization: t.Organization, Store: github.Store(t.Store),
		},
	}
	return advisedTarget{target, func(err error) error {
		return adviseGitHub(err, b.secretsSource(), secretPermission(t))
	}}
}

func (b *bot) keyFileOf(t settings.Target) *openclaw.KeyFile {
	f := &openclaw.KeyFile{Path: t.File, Root: b.dir, ReloadCommand: t.Reload, Env: b.environ, Redact: b.known.Redact, Known: b.known.Add}
	if b.set.InActions && !b.set.Sandbox { // whose key file is the tool's own
		f.Below = b.set.Workspace
	}
	return f
}

// warnOfKeyFiles says of each key file who can replace it that should not.
func (b *bot) warnOfKeyFiles() {
	for _, k := range b.set.Keys {
		for _, t := range k.Targets {
			if t.File == "" {
				continue
			}
			for _, e := range b.keyFileOf(t).Exposed() {
				b.log.Warn(t.From.String() + ": key file " + t.File + ": " + e.String())
			}
		}
	}
}

// reload tells the programs that read k's key files. Its failures are joined; the key is in its targets all the same.
func (b *bot) reload(k settings.Key) func(ctx context.Context) error {
	var files []*openclaw.KeyFile
	for _, t := range k.Targets {
		if t.File != "" && len(t.Reload) > 0 {
			files = append(files, b.keyFileOf(t))
		}
	}
	if len(files) == 0 {
		return nil
	}
	return func(ctx context.Context) error {
		var errs []error
		for _, f := range files {
			if err := f.Reload(ctx); err != nil {
				errs = append(errs, err)
			}
		}
		return errors.Join(errs...)
	}
}
