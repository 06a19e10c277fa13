package console

import (
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
}

// span is a stretch of a track's line, in percent of its width.
type span struct {
	X, Width    string
	Tone        string
	Action      string
	Word        string
	From, Until time.Time // Until is zero where it goes on
}

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
	scale := b.scale(now)
	spans := b.spans(scale)
	var tracks []track
	for _, sys := range b.Systems {
		l := track{Name: sys.System, Title: b.title(lang, sys.System), State: b.trackState(sys), Spans: spans[sys.System]}
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

// scale maps times to places on the tracks' line. Machines take milliseconds and
// people weeks: the line is logarithmic, and its marks say so.
type scale struct{ from, to time.Time }

// finest is the shortest time that the scale can show at its beginning.
const finest = 50 * time.Millisecond

func (s scale) at(t time.Time) float64 {
	all := math.Log1p(float64(max(0, s.to.Sub(s.from))) / float64(finest))
	if all == 0 {
		return 0
	}
	return min(100, 100*math.Log1p(float64(max(0, t.Sub(s.from)))/float64(finest))/all)
}

func (b requestBody) scale(now time.Time) scale {
	s := scale{b.AcceptedAt, now}
	if !b.EndedAt.IsZero() {
		s.to = b.EndedAt
	}
	for _, m := range b.Moments {
		if m.At.After(s.to) && b.EndedAt.IsZero() {
			s.to = m.At
		}
	}
	return s
}

// mark is a time's place on the line.
type mark struct{ X, Text string }

// Marks returns the times that are written at the tracks' line.
func (b requestBody) Marks(lang *words.Language, now time.Time) []mark {
	s := b.scale(now)
	var marks []mark
	last := 0.0
	for _, d := range []time.Duration{time.Second, 10 * time.Second, time.Minute, 10 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour} {
		if x := s.at(s.from.Add(d)); s.from.Add(d).Before(s.to) && x-last >= 10 && x <= 90 {
			marks, last = append(marks, mark{percent(x), locale{lang: lang}.roughly(d)}), x
		}
	}
	return marks
}

func percent(x float64) string { return fmt.Sprintf("%.2f%%", x) }

// thinnest is the least width of a span, in percent: a thinner one couldn't be
// seen.
const thinnest = 0.6

// spans returns the lines of the systems: what ran, what was parked, what has
// failed and waited for a person.
func (b requestBody) spans(s scale) map[string][]span {
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
	begin := func(system string, action dsar.Action, at time.Time, word string) {
		end(system, action, at, "")
		out[system] = append(out[system], span{From: at, Action: string(action), Word: word, Tone: tone(word)})
		open[[2]string{system, string(action)}] = len(out[system])
	}
	for _, e := range b.events {
		switch e := e.(type) {
		case core.TaskSent:
			begin(e.System, e.Action, e.At, string(core.TaskIsSent))
		case core.TaskParked:
			begin(e.System, e.Action, e.At, string(core.TaskIsParked))
		case core.TaskFailed:
			begin(e.System, e.Action, e.At, string(e.Outcome))
		case core.TaskEnded:
			end(e.System, e.Action, e.At, string(e.Outcome))
		}
	}
	for _, list := range out {
		for i := range list {
			until := list[i].Until
			if until.IsZero() {
				until = s.to
			}
			x := s.at(list[i].From)
			width := max(thinnest, s.at(until)-x)
			list[i].X, list[i].Width = percent(min(x, 100-width)), percent(width)
		}
	}
	return out
}
