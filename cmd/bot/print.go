package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/org/openclaw-litellm-action/internal/atomicfile"
	"github.com/org/openclaw-litellm-action/internal/workflow"
	"github.com/org/openclaw-litellm-action/report"
)

// checkOutput refuses a file for the result that could not be written, before anything is done whose result would be
// lost.
func (b *bot) checkOutput() error {
	if b.set.Output == "" {
		return nil
	}
	dir := filepath.Dir(b.set.Output)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return fmt.Errorf("%s: there is no directory %q for the result; make it, or name another file", b.source("output"), dir)
	}
	if err := b.outputFile().Check(); err != nil {
		return fmt.Errorf("%s: the result cannot be written to %s: %w (leave it out to write to standard output)",
			b.source("output"), b.set.Output, err)
	}
	return nil
}

// outputFile is the file for the result. In Actions, one that lies in the workspace by name lies there: a link in a
// checkout leads nowhere else.
func (b *bot) outputFile() atomicfile.File {
	return atomicfile.File{Path: b.set.Output, Below: b.set.Workspace}
}

// print writes the report where the settings say.
func (b *bot) print(r report.Report) error {
	text, err := b.rendered(r)
	if err == nil {
		err = b.deliver(text, b.resultForm())
	}
	if err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	return nil
}

// rendered is the report in the format that the settings name.
func (b *bot) rendered(r report.Report) (string, error) {
	var text bytes.Buffer
	err := b.catch("rendering the report as "+b.set.Format, func() error { return b.render(&text, r) })
	return text.String(), err
}

// deliver writes a result, alone and whole, where the settings say: to the output file, or to standard output. It is
// the same in both: a later step may print the file.
func (b *bot) deliver(text string, form workflow.Form) error {
	if b.set.Output == "" {
		_, err := b.stdout.in(form).Write([]byte(text))
		return err
	}
	text = form.Inert(b.known.Redact(text))
	if err := b.outputFile().Write([]byte(text)); err != nil {
		return fmt.Errorf("%s: writing %s: %w", b.source("output"), b.set.Output, err)
	}
	return nil
}

// resultForm is what kind of text a result is in the format that the settings name.
func (b *bot) resultForm() workflow.Form {
	switch b.set.Format {
	case "json":
		return workflow.JSON
	case "html":
		return workflow.HTML
	}
	return workflow.Text
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
	if !b.set.InActions || b.set.Output != "" && b.set.Format != "html" {
		return report.Options{}
	}
	view := b.publicView()
	view.HideAmounts = view.HideAmounts && b.set.SpendLogs == ""
	return view
}
