package console

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/timeline"
	"habeas.dev/services/internal/words"
)

// track is one system's part of a request, as the page draws it.
type track struct {
	Name, Title string
	State       string // the word for all of it
	Spans       []span
	Steps       []step
	Marks       []mark
}

// span is a stretch of a track's line, in percent of its width.
type span struct {
	X, Width    string
	Tone        string
	Action      string
	Word        string
	From, Until time.Time // Until is zero where it goes on
	// Attempt is which one it was; Code and Reason say why it was put off or failed.
	Attempt      int
	Code, Reason string
}

// Trouble reports whether the stretch is one that somebody wants to know more about.
func (s span) Trouble() bool { return s.Code != "" || s.Reason != "" || s.Attempt > 1 }

// step is one action of a system, with its counts by dataset.
type step struct {
	timeline.Step
	Records  int64
	Datasets []counted
}

// Word returns how the step stands.
func (s step) Word() string {
	if s.Outcome != "" {
		return string(s.Outcome)
	}
	return string(s.Status)
}

// Wants reports whether the step waits for a person: the next step says why.
func (s step) Wants() bool { return s.Status == core.TaskIsFailed }

// counted counts what was done to one dataset.
type counted struct {
	Name, Title string
	dsar.Counts
}

// parts returns the counts of a dataset other than what was found. What an erasure
// flags is among what stays, and counts once.
func (c counted) parts() []int64 {
	var out []int64
	for _, n := range []int64{c.Gathered, c.Erased, c.Anonymised, c.Rectified, max(c.Restricted-c.Kept(), 0), c.Kept()} {
		if n > 0 {
			out = append(out, n)
		}
	}
	return out
}

// Plain returns the one number that says everything: all that was found was dealt
// with in one way. Where that isn't so, each number is said.
func (c counted) Plain() int64 {
	switch parts := c.parts(); {
	case len(c.Retained) > 0:
		return 0
	case len(parts) == 0:
		return c.Found
	case len(parts) == 1 && (c.Found == 0 || c.Found == parts[0]):
		return parts[0]
	default:
		return 0
	}
}

// records returns how many of a dataset's records a step was about.
func (c counted) records() int64 {
	all := int64(0)
	for _, n := range c.parts() {
		all += n
	}
	return max(c.Found, all)
}

// The words for a track as a whole, where no task's own word says it.
const (
	trackWaits  = "waiting"
	trackDone   = "done"
	trackUnused = "never asked"
)

// Tracks returns the systems' parts: those that have failed first, then those that still
// work or wait, each in the order of the catalogue.
func (b requestBody) Tracks(lang *words.Language, now time.Time) []track {
	scale, marks := b.scale(now), b.Marks(lang, now)
	spans := b.spans(scale, now)
	var tracks []track
	for _, sys := range b.Systems {
		l := track{Name: sys.System, Title: b.title(lang, sys.System), State: b.trackState(sys), Spans: spans[sys.System], Marks: marks}
		for _, s := range sys.Steps {
			l.Steps = append(l.Steps, b.step(lang, sys.System, s))
		}
		tracks = append(tracks, l)
	}
	slices.SortStableFunc(tracks, func(a, b track) int { return rankOf(a.tone()) - rankOf(b.tone()) })
	return tracks
}

// tone returns the tone of a track; what waits for its turn is under way.
func (t track) tone() string {
	if t.State == trackWaits {
		return "busy"
	}
	return tone(t.State)
}

func (b requestBody) manifest(system string) *manifest.Manifest {
	for _, m := range b.manifests {
		if m.System == system {
			return m
		}
	}
	return nil
}

func (b requestBody) title(lang *words.Language, system string) string {
	if m := b.manifest(system); m != nil {
		return lang.Text(m.Title)
	}
	if system == dsar.Aggregator {
		return lang.Say("Answer")
	}
	return system
}

func (b requestBody) step(lang *words.Language, system string, s timeline.Step) step {
	out := step{Step: s}
	m := b.manifest(system)
	for _, n := range s.Counts {
		c := counted{Name: n.Dataset, Title: n.Dataset, Counts: n}
		if c.records() == 0 {
			continue
		}
		if m != nil {
			if d := m.Dataset(n.Dataset); d != nil {
				c.Title = lang.Text(d.Title)
			}
		}
		out.Records += c.records()
		out.Datasets = append(out.Datasets, c)
	}
	return out
}

// trackState returns the word for all of a system's steps: the worst of them.
func (b requestBody) trackState(sys timeline.System) string {
	word, rank := trackDone, 0
	better := func(w string, r int) {
		if r > rank {
			word, rank = w, r
		}
	}
	for _, s := range sys.Steps {
		//exhaustive:enforce
		switch s.Status {
		case core.TaskIsFailed:
			better(string(s.Outcome), 4)
		case core.TaskIsParked:
			better(string(s.Status), 3)
		case core.TaskIsSent, core.TaskIsDue:
			better(string(s.Status), 2)
		case core.TaskIsEnded:
		}
	}
	switch {
	case len(sys.Steps) == 0 && b.Status.Ended():
		return trackUnused
	case len(sys.Steps) == 0:
		return trackWaits
	case rank < 4 && rank > 0 && b.Status.Ended():
		return trackUnused
	case rank == 0 && onlyNotApplicable(sys):
		return string(dsar.NotApplicable)
	}
	return word
}

func onlyNotApplicable(sys timeline.System) bool {
	for _, s := range sys.Steps {
		if s.Outcome != dsar.NotApplicable {
			return false
		}
	}
	return true
}

// scale maps times to places on the tracks' line. Machines take milliseconds and people
// weeks: the line is cut where nothing happened for long, and each piece between two cuts
// has its share by the logarithm of how long it took.
type scale struct{ pieces []piece }

// piece is a stretch of the line, in percent of its width.
type piece struct {
	from, to time.Time
	x, width float64
	idle     bool
}

const (
	// finest is the shortest time that a piece can show at its beginning.
	finest = 50 * time.Millisecond
	// idleAfter is how long nothing must happen for the line to be cut.
	idleAfter = 2 * time.Minute
	// idleWidth is how wide a cut is, in percent, and maxIdle how many there are: the
	// longest ones.
	idleWidth = 9
	maxIdle   = 5
	// thinnest is the least width of a span, in percent: a thinner one couldn't be
	// seen.
	thinnest = 0.6
)

func (s scale) at(t time.Time) float64 {
	for _, p := range s.pieces {
		if t.After(p.to) {
			continue
		}
		all := max(0, p.to.Sub(p.from))
		if all == 0 || t.Before(p.from) {
			return p.x
		}
		return p.x + p.width*float64(t.Sub(p.from))/float64(all)
	}
	return 100
}

// scale cuts the request's life into pieces, by when anything happened in it.
func (b requestBody) scale(now time.Time) scale {
	end := now
	if !b.EndedAt.IsZero() {
		end = b.EndedAt
	}
	times := []time.Time{b.AcceptedAt}
	for _, e := range b.events {
		if at := e.When(); at.After(times[len(times)-1]) && !(at.After(end) && !b.EndedAt.IsZero()) {
			times = append(times, at)
		}
	}
	if end.After(times[len(times)-1]) {
		times = append(times, end)
	}
	var idle []time.Duration
	for i := 1; i < len(times); i++ {
		if d := times[i].Sub(times[i-1]); d >= idleAfter {
			idle = append(idle, d)
		}
	}
	slices.SortFunc(idle, func(a, b time.Duration) int { return cmp.Compare(b, a) })
	least := time.Duration(math.MaxInt64)
	if len(idle) > 0 {
		least = idle[min(len(idle), maxIdle)-1]
	}
	var s scale
	cuts := 0
	for i := 1; i < len(times); i++ {
		d := times[i].Sub(times[i-1])
		switch last := len(s.pieces) - 1; {
		case d >= least && cuts < maxIdle:
			s.pieces, cuts = append(s.pieces, piece{from: times[i-1], to: times[i], idle: true}), cuts+1
		case last >= 0 && !s.pieces[last].idle:
			s.pieces[last].to = times[i]
		default:
			s.pieces = append(s.pieces, piece{from: times[i-1], to: times[i]})
		}
	}
	s.spread(100 - idleWidth*float64(cuts))
	return s
}

// spread gives each piece its place and its share of what the cuts leave.
func (s scale) spread(left float64) {
	weight := func(p piece) float64 { return math.Log1p(float64(p.to.Sub(p.from)) / float64(finest)) }
	all := 0.0
	for _, p := range s.pieces {
		if !p.idle {
			all += weight(p)
		}
	}
	x := 0.0
	for i := range s.pieces {
		p := &s.pieces[i]
		p.x = x
		switch {
		case p.idle && all == 0: // nothing but waiting
			p.width = 100 / float64(len(s.pieces))
		case p.idle:
			p.width = idleWidth
		default:
			p.width = left * weight(*p) / all
		}
		x += p.width
	}
}

// mark is something that is written at the tracks' line: how long a piece took, or how long
// nothing happened.
type mark struct {
	X, Width, Middle, Text string
	Idle                   bool
}

// narrowest is the width of a piece, in percent, below which nothing is written at it.
const narrowest = 7

// Marks returns what is written at the tracks' line.
func (b requestBody) Marks(lang *words.Language, now time.Time) (marks []mark) {
	l := locale{lang: lang}
	for _, p := range b.scale(now).pieces {
		m := mark{X: percent(p.x), Width: percent(p.width), Middle: percent(p.x + p.width/2), Idle: p.idle}
		if p.width >= narrowest {
			m.Text = l.took(p.from, p.to)
		}
		marks = append(marks, m)
	}
	return marks
}

// Idles reports whether the tracks' line is cut where nothing happened.
func (b requestBody) Idles(lang *words.Language, now time.Time) bool {
	return slices.ContainsFunc(b.Marks(lang, now), func(m mark) bool { return m.Idle })
}

func percent(x float64) string { return fmt.Sprintf("%.2f%%", x) }

// spans returns the lines of the systems: what ran, what was parked, what has
// failed and waited for a person.
func (b requestBody) spans(s scale, now time.Time) map[string][]span {
	out := map[string][]span{}
	open := map[[2]string]int{} // by system and action: the index of its last span, plus one
	end := func(system string, action dsar.Action, at time.Time, word string) {
		key := [2]string{system, string(action)}
		if i := open[key]; i > 0 {
			last := &out[system][i-1]
			last.Until = at
			if word != "" {
				last.Word, last.Tone = word, tone(word)
			}
			delete(open, key)
		}
	}
	begin := func(system string, action dsar.Action, at time.Time, word string, attempt int, code, reason string) {
		end(system, action, at, "")
		out[system] = append(out[system], span{From: at, Action: string(action), Word: word, Tone: tone(word), Attempt: attempt, Code: code, Reason: reason})
		open[[2]string{system, string(action)}] = len(out[system])
	}
	for _, e := range b.events {
		switch e := e.(type) {
		case core.TaskSent:
			begin(e.System, e.Action, e.At, string(core.TaskIsSent), e.Attempt, "", "")
		case core.TaskParked:
			begin(e.System, e.Action, e.At, string(core.TaskIsParked), e.Attempt, e.Code, cmp.Or(e.Reason, e.Cause.Said()))
		case core.TaskFailed:
			begin(e.System, e.Action, e.At, string(e.Outcome), e.Attempt, e.Code, cmp.Or(e.Reason, e.Cause.Said()))
		case core.TaskEnded:
			end(e.System, e.Action, e.At, string(e.Outcome))
		}
	}
	for _, list := range out {
		for i := range list {
			until := list[i].Until
			if until.IsZero() {
				until = now
			}
			x := s.at(list[i].From)
			width := max(thinnest, s.at(until)-x)
			list[i].X, list[i].Width = percent(min(x, 100-width)), percent(width)
		}
	}
	return out
}
