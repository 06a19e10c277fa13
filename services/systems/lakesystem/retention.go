package lakesystem

import (
	"time"

	"habeas.dev/pkg/manifest"
)

// rule is a rule of retention, for each law that has a period of its own.
type rule struct {
	ground  string
	column  string // the table's
	undated bool   // what has no date may go
	spans   map[string]*manifest.Span
}

// stay says that a record must stay: on which ground, until when.
type stay struct {
	kept   bool
	ground string
	until  time.Time
}

// rules makes a dataset's rules of retention.
func (s *System) rules(d *dataset) ([]rule, error) {
	var out []rule
	for i := range d.Retention {
		r := &d.Retention[i]
		one := rule{ground: r.Ground, column: d.Lake.Column(r.Column), undated: r.Undated == manifest.UndatedGo, spans: map[string]*manifest.Span{}}
		laws := []string{""}
		for law := range r.Periods {
			laws = append(laws, law)
		}
		for _, law := range laws {
			span, applies, err := s.m.SpanUnder(r, law)
			if err != nil {
				return nil, err
			}
			if one.spans[law] = nil; applies {
				one.spans[law] = &span
			}
		}
		out = append(out, one)
	}
	return out, nil
}

// stays says whether a row must stay today, where a person asks under a law: the longest
// rule counts, and one without a known end is the longest.
func (v *view) stays(i int, law string, today time.Time) (longest stay) {
	for r, rule := range v.d.retention {
		span, own := rule.spans[law]
		if !own {
			span = rule.spans[""]
		}
		if span == nil {
			continue
		}
		day, dated := date(v.dates[r], i)
		switch {
		case !dated && rule.undated:
		case !dated:
			return stay{true, rule.ground, time.Time{}}
		default:
			if until := span.After(day); until.After(today) && until.After(longest.until) {
				longest = stay{true, rule.ground, until}
			}
		}
	}
	return longest
}
