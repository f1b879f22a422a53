package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/org/openclaw-litellm-action/finding"
	"github.com/org/openclaw-litellm-action/internal/netx"
	"github.com/org/openclaw-litellm-action/openclaw"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/settings"
)

// The states of a check.
const (
	stateOK      = "ok"
	stateWarning = "warning"
	stateFault   = "fault"
)

// ailment is the result of one check, with a line of remedy for all but what is well.
type ailment struct {
	Check  string `json:"check"`
	Name   string `json:"name,omitempty"`
	State  string `json:"state"`
	What   string `json:"what"`
	Remedy string `json:"remedy,omitempty"`
}

// examination is one run of doctor. Nothing in it writes anywhere, but for the one refused call of --probe.
type examination struct {
	*bot
	all    []ailment
	asked  bool             // the proxy answers to the management key
	keys   []settings.Key   // those of for_each included, where the repositories could be found
	models *openclaw.Served // what the proxy serves; nil: not known

	refused refusals // what is told already
}

// doctor examines everything that the settings name, and prints what is wrong. It returns 1 for a fault.
func (b *bot) doctor(ctx context.Context) int {
	x := &examination{bot: b}
	x.part("proxy", func() { x.askProxy(ctx) })
	if x.asked {
		x.part("spend logs", func() { x.spendLogs(ctx) })
		x.part("fallbacks", func() { x.chains(ctx) })
	}
	x.part("targets", func() { x.places(ctx) })
	if x.asked {
		x.part("keys", func() { x.logicalKeys(ctx) })
	}
	x.part("issue", func() { x.issues(ctx) })
	x.part("tokens", x.tokens)
	x.part("slack", func() { x.channel(ctx) })
	x.part("openclaw", func() { x.openclaw(ctx) })
	code := exitOK
	for _, a := range x.all {
		if a.State == stateFault {
			code = exitFailed
		}
	}
	return b.write(x.render(), b.resultForm(), code)
}

// part does some of the checks. A panic in them is a fault, and the other checks go on.
func (x *examination) part(check string, f func()) {
	err := x.catch("checking "+check, func() error {
		f()
		return nil
	})
	if err != nil {
		x.note(check, "", stateFault, err.Error(), "report it with the stack in the log")
	}
}

// askProxy asks whether the proxy answers, of which release it is, and what the management key may do there.
func (x *examination) askProxy(ctx context.Context) {
	if !x.reach(ctx) {
		return
	}
	told := x.release(ctx)
	x.asked = x.rights(ctx)
	if x.asked && !told {
		x.note("release", "", stateWarning, "the proxy does not tell this key, so that a compromised one is not seen",
			x.source("litellm-master-key")+": add /health/readiness/details to the key's allowed_routes; "+
				"the README has the whole list")
	}
}

func (x *examination) note(check, name, state, what, remedy string) {
	x.all = append(x.all, ailment{check, name, state, report.Line(x.printView().Hide(x.known.Redact(what))), remedy})
}

// judge notes an error as a fault, and none as well. It reports whether there was none.
func (x *examination) judge(check, name string, err error, well, remedy string) bool {
	if err == nil {
		x.note(check, name, stateOK, well, "")
		return true
	}
	for _, e := range report.Leaves(err) {
		what, mend := x.remedyOf(e, remedy)
		if why := netx.RefusalOf(e); why != nil {
			if before, again := x.refused.within(what); again {
				what = before // why is told already
			} else if strings.Contains(what, why.Public()) {
				x.refused.told = append(x.refused.told, why)
			}
		}
		x.note(check, name, stateFault, what, mend)
	}
	return false
}

// remedyOf takes an advised error apart.
func (x *examination) remedyOf(err error, remedy string) (what, mend string) {
	if fault, ok := err.(*settingFault); ok {
		return x.text(fault.err), fault.setting + ": " + fault.remedy
	}
	return x.text(err), remedy
}

// text is an error in the words of what doctor prints; nil is "no error".
func (x *examination) text(err error) string {
	switch {
	case err == nil:
		return "no error"
	case x.printView().Public:
		return finding.Public(err)
	}
	return err.Error()
}

// list notes a warning that names what it is about, or that all is well if there is nothing to name.
func (x *examination) list(check string, names []string, well, what, remedy string) {
	if len(names) == 0 {
		x.note(check, "", stateOK, well, "")
		return
	}
	const most = 10
	text := strings.Join(names[:min(len(names), most)], ", ")
	if len(names) > most {
		text += fmt.Sprintf(" and %d more", len(names)-most)
	}
	x.note(check, "", stateWarning, what+": "+text, remedy)
}

// render is one screen, or JSON.
func (x *examination) render() string {
	var b bytes.Buffer
	if x.set.Format == "json" {
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		_ = e.Encode(x.all) // texts alone, into memory
		return b.String()
	}
	for _, a := range together(x.all) {
		line := fmt.Sprintf("%-8s %s", a.State, a.Check)
		if a.Name != "" {
			line += " " + a.Name
		}
		fmt.Fprintln(&b, report.Line(line+": "+a.What))
		if a.Remedy != "" {
			fmt.Fprintln(&b, "         → "+report.Line(a.Remedy))
		}
	}
	return b.String()
}

// together makes one of several checks in a row that are well in the same way, so that what is not well is on the screen.
func together(all []ailment) []ailment {
	const few = 5
	var out []ailment
	for i := 0; i < len(all); {
		n := i + 1
		for n < len(all) && all[i].State == stateOK && all[n].State == stateOK && all[n].Check == all[i].Check && all[n].What == all[i].What {
			n++
		}
		if n-i <= few {
			out = append(out, all[i:n]...)
		} else {
			one := all[i]
			one.Name = fmt.Sprintf("%s, …, %s (%d)", all[i].Name, all[n-1].Name, n-i)
			out = append(out, one)
		}
		i = n
	}
	return out
}
