package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/github"
	"github.com/org/openclaw-litellm-action/rotate"
	"github.com/org/openclaw-litellm-action/settings"
)

// expansion puts the repositories that are there now in the place of for_each. What is wrong with one template or one
// repository stops no other.
type expansion struct {
	keys     []settings.Key
	holders  *rotate.Holders // nil: no key has a for_each
	others   []string        // keys that exist and that nothing is known of in this pass
	broken   bool            // which keys there are is not known
	findings []finding.Finding
	failed   []keyError

	listed map[string]listing // by owner
	names  map[string]settings.Source
	places map[string]settings.Source
}

// keyError is what failed about a key.
type keyError struct {
	key string
	err error
}

// listing is the repositories of an owner, or why there are none.
type listing struct {
	repositories []github.Repository
	err          error
}

// expandedOrNot is expanded; if that ends in a panic, it is b with the keys that need no looking for.
func (b *bot) expandedOrNot(ctx context.Context) (*bot, *expansion) {
	const doing = "finding the repositories of for_each"
	out, found := b, (*expansion)(nil)
	err := b.catch(doing, func() error {
		out, found = b.expanded(ctx)
		return nil
	})
	if err == nil {
		return out, found
	}
	single, set := *b, *b.set
	set.Keys = slices.DeleteFunc(slices.Clone(b.set.Keys), func(k settings.Key) bool { return k.ForEach != nil })
	single.set = &set
	found = &expansion{broken: true}
	found.fail("", fmt.Errorf("%s: %w", doing, err))
	return &single, found
}

// expanded returns b with a key for each repository in the place of for_each, and what came of finding them. Without a
// for_each it is b itself, and nobody is asked.
func (b *bot) expanded(ctx context.Context) (*bot, *expansion) {
	x := &expansion{listed: map[string]listing{}, names: map[string]settings.Source{}, places: map[string]settings.Source{}}
	if !slices.ContainsFunc(b.set.Keys, func(k settings.Key) bool { return k.ForEach != nil }) {
		x.keys = b.set.Keys
		return b, x
	}
	holders, err := rotate.ReadHolders(ctx, b.proxy)
	x.holders = holders
	for _, k := range b.set.Keys {
		if k.ForEach != nil {
			continue
		}
		if err := x.add(k); err != nil {
			x.fail(k.Name, fmt.Errorf("key %q: %w", k.Name, err))
		}
	}
	for _, k := range b.set.Keys {
		switch {
		case k.ForEach == nil:
		case err != nil: // a renamed repository would get a second key
			x.fail(k.Name, fmt.Errorf("key %q: finding out which repository has which key: %w", k.Name, b.adviseProxy(err)))
		default:
			b.expand(ctx, x, k)
		}
	}
	b.checkNamed(x)
	out, set := *b, *b.set
	out.set, set.Keys = &set, x.keys
	return &out, x
}

// checkNamed wants the keys asked for by name to be there.
func (b *bot) checkNamed(x *expansion) {
	for _, name := range b.set.Names {
		if _, known := x.names[name]; !known && len(x.failed) == 0 {
			x.fail(name, &settingFault{fmt.Errorf("there is no key %q", name), b.source("names"), "name a key of the configuration, or of a repository that for_each finds"})
		}
	}
}

// expand adds the keys of one template.
func (b *bot) expand(ctx context.Context, x *expansion, template settings.Key) {
	f := template.ForEach
	id := f.Owner + "/" + template.Name
	repositories, err := b.found(ctx, x, f)
	if err == nil && len(repositories) > f.Max {
		err = fmt.Errorf("for_each finds %d repositories and may take %d, so none gets a key; raise max_repositories, or narrow topic or pattern", len(repositories), f.Max)
	}
	if err != nil {
		x.others = append(x.others, x.holders.Of(b.set.Owner, id)...)
		x.fail(template.Name, fmt.Errorf("key %q: %w", template.Name, err))
		return
	}
	var wanted []string
	for _, r := range repositories {
		owner, name, _ := strings.Cut(r.FullName, "/")
		k, err := template.For(settings.Repository{Owner: owner, Name: name, ID: r.ID})
		if err == nil {
			err = x.name(&k, b.set.Owner)
		}
		if err == nil {
			wanted = append(wanted, k.Name)
			err = x.add(k)
		}
		if err != nil {
			x.fail(template.Name, fmt.Errorf("key %q for repository %s: %w", template.Name, r.FullName, err))
		}
	}
	x.findings = append(x.findings, x.holders.Left(b.set.Owner, id, wanted)...)
	x.others = append(x.others, x.holders.Of(b.set.Owner, id)...)
}

// found lists the repositories that a for_each means, by name: archived ones, forks and templates have no agents.
func (b *bot) found(ctx context.Context, x *expansion, f *settings.ForEach) ([]github.Repository, error) {
	of := fmt.Sprintf("%s %v", strings.ToLower(f.Owner), f.Organization)
	l, ok := x.listed[of]
	if !ok {
		l.repositories, l.err = b.secrets.client(f.Owner).Repositories(ctx, f.Owner, f.Organization)
		l.err = adviseGitHub(l.err, b.secretsSource(), "the repository permission Metadata: read")
		x.listed[of] = l
	}
	var found []github.Repository
	for _, r := range l.repositories {
		_, name, _ := strings.Cut(r.FullName, "/")
		if !r.Archived && !r.Fork && !r.Template && f.Takes(name, r.Topics) {
			found = append(found, r)
		}
	}
	slices.SortFunc(found, func(a, b github.Repository) int { return cmp.Compare(a.FullName, b.FullName) })
	return found, l.err
}

// name gives a repository's key the name that it has already, should the repository have had another.
func (x *expansion) name(k *settings.Key, owner string) error {
	if had := x.holders.KeyOf(owner, k.Template, k.RepositoryID); had != "" {
		k.Name = had
		return nil
	}
	if other := x.holders.RepositoryOf(k.Name); other != 0 && other != k.RepositoryID {
		return fmt.Errorf("the key %s is that of another repository (GitHub's number %d), which was renamed or deleted; "+
			"rename this repository, or delete the LiteLLM user %s and its keys if nobody needs them", k.Name, other, rotate.HolderID(k.Name))
	}
	return nil
}

// add takes a key whose name and places are its own.
func (x *expansion) add(k settings.Key) error {
	if at, taken := x.names[k.Name]; taken {
		return fmt.Errorf("the key %s is also at %s", k.Name, at)
	}
	for _, t := range k.Targets {
		if at, taken := x.places[t.Place()]; taken {
			return fmt.Errorf("the target at %s is also at %s", t.From, at)
		}
	}
	x.names[k.Name] = k.From
	for _, t := range k.Targets {
		x.places[t.Place()] = t.From
	}
	x.keys = append(x.keys, k)
	return nil
}

func (x *expansion) fail(key string, err error) {
	x.failed = append(x.failed, keyError{key, err})
}

// dispatch tells workflows of a repository that the key has a new generation: never which.
func (b *bot) dispatch(ctx context.Context, k settings.Key, generation int) error {
	if k.Dispatch == "" {
		return nil
	}
	owner, _, _ := strings.Cut(k.Dispatch, "/")
	payload := struct {
		Key        string `json:"key"`
		Generation int    `json:"generation"`
	}{k.Name, generation}
	err := b.secrets.client(owner).Dispatch(ctx, k.Dispatch, rotatedEvent, payload)
	return adviseGitHub(err, b.secretsSource(), "the repository permission Contents: write")
}

// rotatedEvent is the event that repository_dispatch sends.
const rotatedEvent = "litellm-key-rotated"

// notify is called once a key's new generation is everywhere. Its failures are joined: the rotation is done.
func (b *bot) notify(k settings.Key) func(ctx context.Context, generation int) error {
	reload := b.reload(k)
	return func(ctx context.Context, generation int) error {
		var err error
		if reload != nil {
			err = reload(ctx)
		}
		return errors.Join(err, b.dispatch(ctx, k, generation))
	}
}
