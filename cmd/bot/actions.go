package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"strconv"
	"strings"

	"github.com/org/openclaw-litellm-action/internal/workflow"
	"github.com/org/openclaw-litellm-action/report"
	"github.com/org/openclaw-litellm-action/settings"
)

// mostAnnotations is how many annotations of a kind GitHub shows for a step.
const mostAnnotations = 10

// tellRunner gives GitHub Actions the step summary, the outputs and the annotations. Outside Actions it does nothing.
func (p *pass) tellRunner(r *report.Report) {
	if !p.set.InActions {
		return
	}
	p.surface(r, "writing the step summary", func() error {
		view := p.publicView()
		view.Limit = report.SummaryLimit
		p.commandFile("GITHUB_STEP_SUMMARY", report.Markdown(*r, view)+"\n")
		return nil
	})
	p.surface(r, "writing the outputs", func() error {
		var outputs strings.Builder
		for _, o := range p.outputs(*r) {
			outputs.WriteString(workflow.Output(o.name, o.value))
		}
		p.commandFile("GITHUB_OUTPUT", outputs.String())
		return nil
	})
	p.surface(r, "annotating the run", func() error {
		for _, a := range report.Annotations(*r, p.publicView()) {
			p.annotate(a.Level, map[string]string{"title": a.Title}, a.Message)
		}
		return nil
	})
}

// annotate shows a message on the run's page in Actions: level is "error", "warning" or "notice". Each is one line.
func (b *bot) annotate(level string, properties map[string]string, message string) {
	if !b.set.InActions {
		return
	}
	shown := maps.Clone(properties)
	for name, value := range shown {
		shown[name] = report.Line(b.known.Redact(value))
	}
	b.stderr.command(workflow.Command(level, shown, report.Line(b.known.Redact(message))))
}

// commandFile adds text to the runner's file that a variable names. Without the variable it does nothing.
func (b *bot) commandFile(variable, text string) {
	path := b.getenv(variable)
	if path == "" {
		return
	}
	if err := appendTo(path, b.known.Redact(text)); err != nil {
		b.log.Error("writing for the runner", "file", variable, "error", err)
	}
}

func appendTo(path, text string) error {
	const forTheRunner = 0o644 // another user may read it
	// #nosec G302 G304 -- the runner names the file, and reads it
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, forTheRunner)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

type output struct{ name, value string }

// outputs are what later steps can use.
func (b *bot) outputs(r report.Report) []output {
	rotated := r.RotatedKeys()
	names, err := json.Marshal(rotated)
	if err != nil {
		names = []byte("[]")
	}
	highest := ""
	if worst, any := r.Worst(); any {
		highest = worst.String()
	}
	out := []output{
		{"rotated", strconv.FormatBool(len(rotated) > 0)},
		{"rotated-keys", string(names)},
		{"findings", strconv.Itoa(len(r.Findings))},
		{"highest-severity", highest},
		{"report-file", b.set.Output},
	}
	if len(r.Keys) == 1 {
		k := r.Keys[0]
		if k.Generation >= 0 {
			out = append(out, output{"key-generation", strconv.Itoa(k.Generation)})
		}
		if k.Spend.Valid {
			out = append(out, output{"spend", k.Spend.Decimal.String()})
		}
		if k.MaxBudget.Valid {
			out = append(out, output{"max-budget", k.MaxBudget.Decimal.String()})
		}
	}
	return out
}

// refuse prints what is wrong with the settings, a line each. Nothing was touched.
func (b *bot) refuse(err error) int {
	lines := faultLines(err)
	for i, line := range lines {
		b.errorLine(line)
		switch {
		case i < mostAnnotations-1 || len(lines) <= mostAnnotations:
			b.annotate("error", nil, line)
		case i == mostAnnotations-1:
			b.annotate("error", nil, fmt.Sprintf("and %d more, all of them in the log", len(lines)-i))
		}
	}
	return exitUsage
}

// faultLines takes an error apart into what is printed on a line each.
func faultLines(err error) []string {
	var lines []string
	if faults := (settings.Faults)(nil); errors.As(err, &faults) {
		for _, f := range faults {
			lines = append(lines, f.String())
		}
		return lines
	}
	for _, e := range report.Leaves(err) {
		lines = append(lines, e.Error())
	}
	return lines
}
