package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"

	"github.com/org/openclaw-litellm-action/finding"
)

//go:embed page/page.html page/page.css
var pageFiles embed.FS

// pagePolicy lets the page do nothing but show itself: no script, no request, no form, no frame, and the one style sheet
// that it carries, by its hash.
const pagePolicy = "default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'"

// How much of a large fleet the page shows, worst first. The rest is counted.
const (
	pageCards   = 300
	pageKeys    = 1000
	pageLanes   = 40
	pageTargets = 500
)

// page is what the template lays out: text that is safe to read, and geometry.
type page struct {
	Policy, Headline, Command, State string
	Style                            template.CSS
	Facts                            []string
	Sections                         []pageSection
	Tiles                            []tile

	Findings, Failures         []card
	MoreFindings, MoreFailures string
	Spend                      *spendFigure
	Past                       *pastFigure
	Periods                    []periodPart
	Keys                       []keyRow
	BudgetNote, MoreKeys       string
	Rotating                   bool // rotation was looked at: generations are known, or when they are replaced
	Generations, Failover      *timeline
	Done                       []doneKey
	DoneTitle, MoreDone        string
	Targets                    []targetRow
	MoreTargets                string
	Notes                      []string
	Empty                      string // what to say where there is nothing to show
	Footer                     string
}

type (
	pageSection struct{ ID, Title, Count string }
	tile        struct{ Name, Value, More string }
	card        struct{ Severity, Summary, Details, Cause, Advice string }
	tableRow    struct {
		Name  string
		Cells []string
	}
	targetRow struct{ Name, Key, State string }
	doneKey   struct {
		Name, Summary string
		Steps         []doneStep
	}
	doneStep struct{ State, Text, Reason, Error string }
)

// HTML writes r as one page that needs nothing else: no script, no other file. Texts from outside are escaped by
// html/template for where they stand, and show what would act (control characters, direction overrides) as text. It
// returns the writer's error.
func HTML(w io.Writer, r Report, o Options) error {
	f, err := readFrame()
	if err != nil {
		return err
	}
	p := pageOf(o.view(r))
	p.Policy, p.Style = f.policy, f.style
	var b bytes.Buffer
	if err := f.template.Execute(&b, p); err != nil {
		return fmt.Errorf("laying out the page: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// frame is what every page has in common.
type frame struct {
	template *template.Template
	style    template.CSS
	policy   string
}

// readFrame reads the embedded files, once.
var readFrame = sync.OnceValues(func() (frame, error) {
	style, err := pageFiles.ReadFile("page/page.css")
	if err != nil {
		return frame{}, fmt.Errorf("reading the page's style: %w", err)
	}
	t, err := template.ParseFS(pageFiles, "page/page.html")
	if err != nil {
		return frame{}, fmt.Errorf("reading the page's template: %w", err)
	}
	hash := sha256.Sum256(style)
	policy := fmt.Sprintf(pagePolicy, base64.StdEncoding.EncodeToString(hash[:]))
	return frame{t, template.CSS(style), policy}, nil // #nosec G203 -- embedded, and held by its hash in the policy
})

// shown is a text from outside as the page shows it.
func shown(s string, n int) string { return clip(visible(s), n) }

func pageOf(r Report) page {
	p := page{
		Headline: capital(headline(r)), Command: shown(r.Command, nameLimit), State: pageState(r), Facts: pageFacts(r), Tiles: pageTiles(r),
		Spend: spendOf(r), Past: pastOfBudgets(r), Periods: periodsOf(r), Generations: generationsOf(r), Failover: failoverOf(r), DoneTitle: "Done", Footer: pageFooter(r),
	}
	if r.DryRun {
		p.DoneTitle, p.Headline = "Due", p.Headline+" (plan: nothing was written)"
	}
	p.Findings, p.MoreFindings = pageFindings(r)
	p.Failures, p.MoreFailures = pageFailures(r)
	p.budgets(r)
	p.done(r)
	p.targets(r)
	for _, n := range r.Notes {
		p.Notes = append(p.Notes, shown(n, textLimit))
	}
	if r.Proxy != nil {
		for _, n := range r.Proxy.Gaps {
			p.Notes = append(p.Notes, shown(n, textLimit))
		}
	}
	if p.Sections = p.sections(); len(p.Sections) == 0 {
		p.Empty = "No key was looked at. Name keys in the configuration, or a single one with key-name, and run it again."
	}
	return p
}

// capital begins a text of ours with a capital letter.
func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// pageState is the icon of the whole: that of the gravest thing told.
func pageState(r Report) string {
	switch {
	case r.Totals.Criticals > 0:
		return "critical"
	case r.Totals.Failures > 0:
		return "failed"
	case !r.well():
		return "warning"
	case r.judgedNothing():
		return "info"
	}
	return "ok"
}

func pageFacts(r Report) []string {
	facts := []string{"as of " + stamp(r.GeneratedAt)}
	if p := r.Period; p != nil {
		facts = append(facts, shown(p.Name, nameLimit)+": "+date(p.From)+" to "+date(p.To))
	}
	if p := r.Proxy; p != nil {
		s := "LiteLLM " + shown(p.Release, nameLimit)
		if p.URL != "" {
			s += " at " + shown(p.URL, nameLimit)
		}
		facts = append(facts, strings.Join(strings.Fields(s), " "))
		state := "proxy ready"
		if !p.Ready {
			state = "proxy not ready: " + shown(cmp.Or(p.Trouble, p.Cause, "reason not known"), textLimit)
		} else if p.LatencyMS > 0 {
			state += fmt.Sprintf(" in %d ms", p.LatencyMS)
		}
		facts = append(facts, state)
	}
	return facts
}

// pageTiles are the few numbers that a reader looks for first.
func pageTiles(r Report) []tile {
	var tiles []tile
	if t := r.Totals; t.Spend.Valid {
		of := "without a common limit"
		if t.MaxBudget.Valid {
			of = "of " + money(t.MaxBudget) + " USD"
		}
		if n := r.unknownSpends(); n > 0 {
			of += ", without " + finding.Plural(n, "key") + " whose spend is not known"
		}
		tiles = append(tiles, tile{"Spent", money(t.Spend) + " USD", of})
	}
	if len(r.Keys) > 0 {
		rotated := ""
		if r.Totals.Rotated > 0 {
			rotated = finding.Plural(r.Totals.Rotated, "key") + " rotated just now"
		}
		tiles = append(tiles, tile{"Keys", fmt.Sprint(len(r.Keys)), rotated})
	}
	if !r.judgedNothing() || len(r.Findings) > 0 {
		tiles = append(tiles, tile{"Findings", fmt.Sprint(len(r.Findings)), cmp.Or(findingCounts(r.Totals), "nothing to act on")})
	}
	if n := r.Totals.Failures; n > 0 {
		tiles = append(tiles, tile{"Failures", fmt.Sprint(n), "the rest was done"})
	}
	return append(tiles, nextTiles(r)...)
}

func findingCounts(t Totals) string {
	var parts []string
	if t.Criticals > 0 {
		parts = append(parts, fmt.Sprintf("%d critical", t.Criticals))
	}
	if t.Warnings > 0 {
		parts = append(parts, finding.Plural(t.Warnings, "warning"))
	}
	if t.Info > 0 {
		parts = append(parts, fmt.Sprintf("%d for information", t.Info))
	}
	return strings.Join(parts, ", ")
}

// nextTiles tell what happens next by itself: a window that resets, a rotation.
func nextTiles(r Report) []tile {
	var reset, rotation Key
	for _, k := range r.Keys {
		if !k.ResetAt.IsZero() && (reset.ResetAt.IsZero() || k.ResetAt.Before(reset.ResetAt)) {
			reset = k
		}
		if !k.NextRotation.IsZero() && (rotation.NextRotation.IsZero() || k.NextRotation.Before(rotation.NextRotation)) {
			rotation = k
		}
	}
	var tiles []tile
	if !reset.ResetAt.IsZero() {
		tiles = append(tiles, tile{"Next reset", nextIn(reset.ResetAt, r), brief(shown(reset.Name, nameLimit), nameLimit/3) + ", " + date(reset.ResetAt)})
	}
	if !rotation.NextRotation.IsZero() {
		more := brief(shown(rotation.Name, nameLimit), nameLimit/3) + ", " + date(rotation.NextRotation)
		tiles = append(tiles, tile{"Next rotation", nextIn(rotation.NextRotation, r), more})
	}
	return tiles
}

func pageFindings(r Report) ([]card, string) {
	var cards []card
	for _, f := range r.Findings[:min(pageCards, len(r.Findings))] {
		severity := f.Severity.String()
		if f.Severity < finding.Info || f.Severity > finding.Critical {
			severity = finding.Info.String()
		}
		cards = append(cards, card{
			Severity: severity, Summary: cmp.Or(shown(f.Summary, textLimit), "–"), Details: details(f, r),
			Cause: shown(f.Why(), textLimit), Advice: shown(f.Advice, textLimit),
		})
	}
	return cards, moreThan(len(r.Findings), pageCards, "finding")
}

func pageFailures(r Report) ([]card, string) {
	var cards []card
	for _, f := range r.Failures[:min(pageCards, len(r.Failures))] {
		cards = append(cards, card{Summary: shown(failureLead(f), 2*nameLimit), Details: shown(f.Message, textLimit)})
	}
	return cards, moreThan(len(r.Failures), pageCards, "failure")
}

// moreThan says how many of n did not fit into a limit; "" if all did.
func moreThan(n, limit int, noun string) string {
	if n <= limit {
		return ""
	}
	return fmt.Sprintf("… and %s more, cut here to fit. The JSON report has them all.", finding.Plural(n-limit, noun))
}

func (p *page) sections() []pageSection {
	var out []pageSection
	add := func(there bool, id, title string, count int) {
		if !there {
			return
		}
		s := pageSection{ID: id, Title: title}
		if count > 0 {
			s.Count = fmt.Sprint(count)
		}
		out = append(out, s)
	}
	add(len(p.Findings) > 0, "findings", "Findings", len(p.Findings))
	add(len(p.Failures) > 0, "failures", "Failures", len(p.Failures))
	add(len(p.Keys) > 0, "budgets", "Budgets", 0)
	add(p.Past != nil, "past", "Over time", 0)
	add(p.Spend != nil, "spend", "Spend", 0)
	for _, part := range p.Periods {
		add(true, part.ID, part.Title, 0)
	}
	add(p.Generations != nil, "generations", "Generations", 0)
	add(p.Failover != nil, "failover", "Failover", 0)
	add(len(p.Done) > 0, "done", p.DoneTitle, 0)
	add(len(p.Targets) > 0, "targets", "Targets", 0)
	add(len(p.Notes) > 0, "notes", "Notes", 0)
	return out
}

func pageFooter(r Report) string {
	parts := []string{"openclaw-litellm " + cmp.Or(shown(r.ToolVersion, nameLimit), "dev")}
	if s := requestsText(r); s != "" {
		parts = append(parts, s)
	}
	return strings.Join(append(parts, "all times UTC"), " · ")
}
