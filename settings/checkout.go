package settings

import (
	"slices"
	"strings"
)

// In Actions the configuration file comes from a checkout: anyone who can push a branch can change it. What such a file
// may say is decided for each of its fields: the column checkout of the table, and checkPlaces for keys. It describes
// the keys of this repository. It does not choose who receives keys and reports, and lifts no protection: that is for
// the workflow, as an input, a flag or a variable.

// checkoutRule decides whether a file in the checkout may set a field to text. It returns what is wrong, nil if it may.
type checkoutRule func(text string, s *Settings) *problem

// allowed is the rule for fields that describe keys, or when something is worth a finding.
func allowed(string, *Settings) *problem { return nil }

// choosesNot refuses every value. what completes "a file in the checkout cannot …"; input is what to give instead.
func choosesNot(input, what string) checkoutRule {
	return func(string, *Settings) *problem {
		return bad("give input "+input, "in Actions a file in the checkout cannot %s", what)
	}
}

// choosesNoAddress is the rule for the proxy's address.
func choosesNoAddress(string, *Settings) *problem {
	return checkDestination(Source{Layer: File}, true, false)
}

// ownsThisRepository allows the owner that is the default.
func ownsThisRepository(text string, s *Settings) *problem {
	if s.isThisRepository(text) {
		return nil
	}
	return choosesNot("owner", "choose whose keys are managed")(text, s)
}

// staysHere allows notices to this repository alone.
func staysHere(text string, s *Settings) *problem {
	if s.isThisRepository(text) {
		return nil
	}
	return bad("give input issue-repository", "in Actions a file cannot send notices to another repository")
}

// showsNoAmounts allows to hide amounts.
func showsNoAmounts(text string, s *Settings) *problem {
	if shown, p := parseBool(text); p != nil || !shown {
		return nil // what is neither is a fault of its own
	}
	return choosesNot("amounts-in-public", "show amounts to everybody")(text, s)
}

// isThisRepository reports whether a text names the repository that the job runs in.
func (s *Settings) isThisRepository(text string) bool {
	return s.GitHub.Repository != "" && strings.EqualFold(text, s.GitHub.Repository)
}

// fromCheckout reports whether the configuration file is one of a checkout.
func (l *loader) fromCheckout() bool { return l.out.InActions && !l.out.Sandbox && l.file != nil }

// checkCheckout holds the fields of the table against their rules.
func (l *loader) checkCheckout() {
	if !l.fromCheckout() {
		return
	}
	for _, r := range table() {
		if v := l.values[r.name]; v.src.Layer == File {
			l.add(v.src, r.checkout(v.text, l.out))
		}
	}
}

// checkPlaces refuses that a file in the checkout sends keys to other owners than this repository's, or events to
// anybody, unless allowed-owners names them.
func (l *loader) checkPlaces(n keyNode) {
	if !l.fromCheckout() {
		return
	}
	mine, _, _ := strings.Cut(l.out.GitHub.Repository, "/")
	given := l.out.AllowedOwners
	allows := func(owners []string, owner string) bool {
		return slices.ContainsFunc(owners, func(o string) bool { return o != "" && strings.EqualFold(o, owner) })
	}
	check := func(v value, owners []string, what string) {
		owner, _, _ := strings.Cut(v.text, "/")
		found := n.forEach != nil && owner == "{owner}" // checked as the owner of for_each
		if v.text != "" && !found && !allows(owners, owner) {
			remedy := "give input allowed-owners with " + quote(owner)
			l.add(v.src, bad(remedy, "in Actions a file in the checkout cannot send %s", what))
		}
	}
	own := append([]string{mine}, given...)
	for _, t := range n.targets {
		check(t.values["repository"], own, "keys to another owner's repositories")
		check(t.values["organization"], own, "keys to another organization")
	}
	if n.forEach != nil {
		check(n.forEach.values["organization"], own, "keys to another organization's repositories")
		check(n.forEach.values["owner"], own, "keys to another owner's repositories")
		if owner, _, _ := strings.Cut(n.dispatch.text, "/"); owner == "{owner}" {
			check(l.ownerOfEach(n), given, "events to repositories")
		}
	}
	check(n.dispatch, given, "events to repositories")
}

// ownerOfEach is the owner of the repositories that a for_each finds, at the place of its repository_dispatch.
func (l *loader) ownerOfEach(n keyNode) value {
	for _, field := range []string{"organization", "owner"} {
		if v := n.forEach.values[field]; v.text != "" {
			return value{text: v.text, src: n.dispatch.src}
		}
	}
	return value{}
}
