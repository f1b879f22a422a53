package report

import (
	"fmt"
	"slices"
	"time"
)

// timeline is a drawing of what lasted from when to when, in three sizes, and the same as a table.
type timeline struct {
	Note, Caption string
	Charts        []chart
	Heads         []string
	Rows          []tableRow
	More          string
}

// lane is one line of a timeline: a text, and what lasted.
type lane struct {
	label string
	spans []span
}

type span struct {
	from, to              time.Time
	class, pattern, title string
}

// The farthest that a timeline of generations looks back and ahead.
const (
	timelineBack  = 60 * 24 * time.Hour
	timelineAhead = 45 * 24 * time.Hour
)

// generationsOf draws the generations that still matter; nil if there are none.
func generationsOf(r Report) *timeline {
	t := &timeline{
		Caption: "Generations of each key",
		Heads:   []string{"key", "generation", "state", "minted", "in every target since", "works until"},
	}
	var lanes []lane
	n := 0
	for _, k := range r.Keys {
		if len(r.Keys) > fleet && !worthTelling(k) {
			continue
		}
		for i, g := range k.Generations {
			if g.State == "deleted" || g.MintedAt.IsZero() && g.DoneAt.IsZero() {
				continue
			}
			if n++; n > pageLanes {
				continue
			}
			lanes = append(lanes, generationLane(k, i, r.GeneratedAt))
			t.Rows = append(t.Rows, tableRow{shown(k.Name, nameLimit), []string{
				fmt.Sprint(g.Number), shown(g.State, nameLimit), stamp(g.MintedAt), stamp(g.DoneAt), stamp(g.RetireAt),
			}})
		}
	}
	if len(lanes) == 0 {
		return nil
	}
	t.More = moreThan(n, pageLanes, "generation")
	from, to := reach(lanes)
	t.draw(lanes, later(from, r.GeneratedAt.Add(-timelineBack)), earlier(to, r.GeneratedAt.Add(timelineAhead)), r.GeneratedAt)
	return t
}

// generationLane shows how long a generation was current, its grace, or when it will be replaced.
func generationLane(k Key, i int, now time.Time) lane {
	g := k.Generations[i]
	begin := g.DoneAt
	if begin.IsZero() || !g.MintedAt.IsZero() && g.MintedAt.Before(begin) {
		begin = g.MintedAt
	}
	l := lane{label: brief(shown(k.Name, nameLimit), nameLimit/2) + ", generation " + shown(generationText(g, now), nameLimit)}
	replaced := now
	for _, next := range k.Generations {
		if next.Number > g.Number && !next.DoneAt.IsZero() && next.DoneAt.Before(replaced) && next.DoneAt.After(begin) {
			replaced = next.DoneAt
		}
	}
	switch g.State {
	case "current":
		l.spans = append(l.spans, span{begin, now, "current", "", "current since " + stamp(begin)})
		if k.NextRotation.After(now) {
			l.spans = append(l.spans, span{now, k.NextRotation, "next", "", "next rotation " + stamp(k.NextRotation)})
		}
	case "retiring":
		l.spans = append(l.spans, span{begin, replaced, "past", "", "current until " + stamp(replaced)})
		if g.RetireAt.After(replaced) {
			l.spans = append(l.spans, span{replaced, g.RetireAt, "grace", "p1", "grace until " + stamp(g.RetireAt)})
		}
	case "unfinished":
		l.spans = append(l.spans, span{begin, later(now, begin.Add(time.Hour)), "served", "p4", "unfinished since " + stamp(begin)})
	default:
		l.spans = append(l.spans, span{begin, replaced, "past", "p5", shown(g.State, nameLimit)})
	}
	return l
}

// reach is the least stretch of time that holds all spans.
func reach(lanes []lane) (from, to time.Time) {
	for _, l := range lanes {
		for _, s := range l.spans {
			if from.IsZero() || !s.from.IsZero() && s.from.Before(from) {
				from = s.from
			}
			to = later(to, s.to)
		}
	}
	return from, to
}

func earlier(a, b time.Time) time.Time {
	if a.IsZero() || b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (t *timeline) draw(lanes []lane, from, to, now time.Time) {
	if !to.After(from) {
		to = from.Add(time.Hour)
	}
	pad := to.Sub(from) / 50
	for _, c := range []chart{{Class: "full", Width: 1100}, {Class: "medium", Width: 680}, {Class: "narrow", Width: 340}} {
		c.Label = fmt.Sprintf("%s, from %s to %s. The table below says the same.", t.Caption, stamp(from), stamp(to))
		t.Charts = append(t.Charts, drawLanes(c, lanes, from, to.Add(pad), now))
	}
}

// drawLanes lays the lanes out in c under each other, each with its text above.
func drawLanes(c chart, lanes []lane, from, to, now time.Time) chart {
	const side, top, row, thick, axis = 4.0, 18.0, 42.0, 13.0, 22.0
	width := float64(c.Width) - 2*side
	foot := top + row*float64(len(lanes))
	c.Height = int(foot + axis)
	x := func(at time.Time) float64 {
		share := float64(at.Sub(from)) / float64(to.Sub(from))
		return side + width*min(max(share, 0), 1)
	}
	for _, at := range timeTicks(from, to, c.Width/110) {
		c.Ticks = append(c.Ticks, mark{X: round(x(at)), Y: top, Bottom: round(foot), Anchor: anchor(x(at), c.Width), Text: timeTick(at, from, to)})
	}
	for i, l := range lanes {
		y := top + row*float64(i)
		c.Labels = append(c.Labels, mark{X: side, Y: y + 15, Class: "lane", Text: Options{}.fit(l.label, (c.Width-8)/7)})
		for _, s := range l.spans {
			a, b := x(s.from), x(s.to)
			if b-a < 4 {
				a, b = min(a, side+width-4), min(a, side+width-4)+4
			}
			c.Bars = append(c.Bars, rect{Title: s.title, Class: s.class, Pattern: s.pattern, X: round(a), Y: y + 20, Width: round(b - a), Height: thick})
		}
	}
	if !now.Before(from) && !now.After(to) {
		c.Marks = append(c.Marks, mark{X: round(x(now)), Y: top - 4, Bottom: round(foot), Anchor: anchor(x(now), c.Width), Text: "now"})
	}
	return c
}

// anchor keeps a text inside the drawing.
func anchor(x float64, width int) string {
	switch {
	case x < 24:
		return "start"
	case x > float64(width)-24:
		return "end"
	}
	return "middle"
}

// timeTicks returns at most n+1 round moments between from and to.
func timeTicks(from, to time.Time, n int) []time.Time {
	const day = 24 * time.Hour
	steps := []time.Duration{
		time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 3 * time.Hour,
		6 * time.Hour, 12 * time.Hour, day, 2 * day, 7 * day, 14 * day, 28 * day, 91 * day, 364 * day,
	}
	i := slices.IndexFunc(steps, func(d time.Duration) bool { return to.Sub(from) <= d*time.Duration(max(n, 1)) })
	if i < 0 {
		return nil
	}
	var ticks []time.Time
	for at := from.UTC().Truncate(steps[i]).Add(steps[i]); at.Before(to); at = at.Add(steps[i]) {
		ticks = append(ticks, at)
	}
	return ticks
}

func timeTick(at, from, to time.Time) string {
	if to.Sub(from) > 48*time.Hour {
		return at.UTC().Format("2 Jan")
	}
	return at.UTC().Format("15:04")
}
