package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"encoding/json"

	"github.com/org/openclaw-litellm-action/report"
)

// checkOutput refuses a file for the result that has no directory, before anything is done whose result would be lost.
func (b *bot) checkOutput() error {
	if b.set.Output == "" {
		return nil
	}
	dir := filepath.Dir(b.set.Output)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return fmt.Errorf("%s: there is no directory %q for the result; make it, or name another file", b.source("output"), dir)
	}
	return nil
}

// print writes the result where the settings say: to the output file, or to standard output.
func (b *bot) print(r report.Report) error {
	var text bytes.Buffer
	if err := b.render(&text, r); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	content := b.known.Redact(text.String())
	if b.set.Output == "" {
		_, err := b.stdout.Write([]byte(content))
		return err
	}
	// #nosec G306 -- a report holds no secret, and is for others to read
	if err := os.WriteFile(b.set.Output, []byte(content), 0o644); err != nil {
		return fmt.Errorf("writing the report, %s: %w", b.set.From("output"), err)
	}
	return nil
}

func (b *bot) render(w *bytes.Buffer, r report.Report) error {
	switch b.set.Format {
	case "json":
		return report.JSON(w, r, b.printView())
	case "csv":
		return report.CSV(w, r, b.printView())
	case "html":
		return report.HTML(w, r, b.printView())
	case "markdown":
		_, err := w.WriteString(report.Markdown(r, b.printView()))
		return err
	}
	return report.Text(w, r, b.textOptions())
}

// textOptions suits the terminal: colour only on one, and not where NO_COLOR is set.
func (b *bot) textOptions() report.Options {
	o := b.printView()
	o.Width = b.stdoutTerminal.width
	o.Color = o.Width > 0 && b.set.Output == "" && b.getenv("NO_COLOR") == "" && b.getenv("TERM") != "dumb"
	return o
}

// tellRunner gives GitHub Actions the step summary, the outputs and the annotations. Outside Actions it does nothing.
func (b *bot) tellRunner(r report.Report) {
	if b.action == nil {
		return
	}
	view := b.publicView()
	for _, a := range report.Annotations(r, view) {
		annotation := b.action.WithFieldsMap(map[string]string{"title": a.Title})
		if a.Level == "error" {
			annotation.Errorf("%s", a.Message)
		} else {
			annotation.Warningf("%s", a.Message)
		}
	}
	view.Limit = report.SummaryLimit
	b.commandFile("GITHUB_STEP_SUMMARY", func() { b.action.AddStepSummary(b.known.Redact(report.Markdown(r, view))) })
	b.commandFile("GITHUB_OUTPUT", func() {
		for _, o := range b.outputs(r) {
			b.action.SetOutput(o.name, b.known.Redact(o.value))
		}
	})
}

// commandFile runs f if the runner gave that file; go-githubactions panics where it can't be written.
func (b *bot) commandFile(variable string, f func()) {
	if b.getenv(variable) == "" {
		return
	}
	defer func() {
		if failed := recover(); failed != nil {
			b.log.Error("writing for the runner", "file", variable, "error", fmt.Sprint(failed))
		}
	}()
	f()
}

type output struct{ name, value string }

// outputs are what later steps can use. No value has a line break, so none can forge another.
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
	for i := range out {
		out[i].value = strings.Map(oneLine, out[i].value)
	}
	return out
}

func oneLine(r rune) rune {
	if r == '\n' || r == '\r' {
		return ' '
	}
	return r
}

// publicView says what surfaces may show that everybody sees who sees the repository. The event that started the run
// tells whether that is the world; where it does not, it is taken to be.
func (b *bot) publicView() report.Options {
	private, _ := b.privateRepository()
	return b.viewFor(private)
}

// viewFor is what may be shown to those who can read a repository.
func (b *bot) viewFor(private bool) report.Options {
	if private {
		return report.Options{}
	}
	return report.Options{Public: true, HideAmounts: !b.set.Report.AmountsInPublic}
}

// privateRepository is what the event says of the repository, and whether it says anything.
func (b *bot) privateRepository() (private, known bool) {
	path := b.getenv("GITHUB_EVENT_PATH")
	if path == "" {
		return false, false
	}
	content, err := b.reader(mostEvent)(filepath.Clean(path))
	if err != nil {
		return false, false
	}
	var event struct {
		Repository struct {
			Private *bool `json:"private"`
		} `json:"repository"`
	}
	if json.Unmarshal(content, &event) != nil || event.Repository.Private == nil {
		return false, false
	}
	return *event.Repository.Private, true
}

// issueView is what the issue may show as far as the event tells: that is about the run's own repository, and of another
// one it says nothing.
func (b *bot) issueView() report.Options {
	private, _ := b.privateRepository()
	return b.viewFor(private && b.issueIsHere())
}

// issueIsHere reports whether the issue, if there is one, is in the run's own repository.
func (b *bot) issueIsHere() bool {
	in := b.set.Report.IssueRepository
	return in == "" || strings.EqualFold(in, b.set.GitHub.Repository)
}

// learnView asks GitHub who can read the issue; nil where the event has said so.
func (b *bot) learnView() func(context.Context) (report.Options, error) {
	if _, known := b.privateRepository(); known && b.issueIsHere() {
		return nil
	}
	return func(ctx context.Context) (report.Options, error) {
		owner, name, _ := strings.Cut(b.set.Report.IssueRepository, "/")
		r, err := b.issuesAPI.Repository(ctx, owner, name)
		return b.viewFor(r.Private), err
	}
}

// printView says what the result may show: in Actions it goes to the log, or the page to an artifact, which everybody can
// read who sees the repository. Other files are for later steps, and whole. The amounts of an export are what was asked for;
// its users are not.
func (b *bot) printView() report.Options {
	if b.action == nil || b.set.Output != "" && b.set.Format != "html" {
		return report.Options{}
	}
	view := b.publicView()
	view.HideAmounts = view.HideAmounts && b.set.SpendLogs == ""
	return view
}
