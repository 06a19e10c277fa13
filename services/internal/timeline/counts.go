package timeline

import (
	"fmt"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// fields names the columns that a rectification changed, and those that it left.
func (say Say) fields(counts []dsar.Counts) string {
	var changed, unchanged []string
	for _, c := range counts {
		for _, column := range c.Changed {
			changed = append(changed, c.Dataset+"."+column)
		}
		for _, column := range c.Unchanged {
			unchanged = append(unchanged, c.Dataset+"."+column)
		}
	}
	var refused []string
	for _, c := range counts {
		for _, column := range c.Refused {
			refused = append(refused, c.Dataset+"."+column)
		}
	}
	text := ""
	if len(refused) > 0 {
		text += say.f("; refused %s", strings.Join(refused, ", "))
	}
	if len(changed) > 0 {
		text += say.f("; changed %s", strings.Join(changed, ", "))
	}
	if len(unchanged) > 0 {
		text += say.f("; left as they were %s", strings.Join(unchanged, ", "))
	}
	return text
}

// redacted says which values somebody has taken out, and why.
func (say Say) redacted(all []core.Redaction) string {
	var parts []string
	total := int64(0)
	for _, r := range all {
		total += r.Values
		parts = append(parts, say.f("%s.%s %d (%s)", r.Dataset, r.Column, r.Values, say(string(r.Reason))))
	}
	if total == 0 {
		return ""
	}
	return ", " + say.plural(total, "%d value redacted", "%d values redacted") + say(": ") + strings.Join(parts, ", ")
}

// CountWords sums up counts: "14 records: profile 1, invoices 13 (6 retained
// until 2031-04-01, tax-records)".
func CountWords(counts []dsar.Counts) string { return Say(English).counts(counts) }

func (say Say) counts(counts []dsar.Counts) string {
	var parts, missing []string
	total := int64(0)
	for _, c := range counts {
		if c.Uncovered != "" {
			if names := c.Cause.Said(); names != "" {
				missing = append(missing, c.Dataset+" ("+names+")")
			} else {
				missing = append(missing, c.Dataset)
			}
		}
		n := max(c.Found, c.Gathered, c.Erased+c.Anonymised+c.Kept(), c.Rectified, c.Restricted)
		if n == 0 {
			continue
		}
		total += n
		parts = append(parts, fmt.Sprintf("%s %d%s", c.Dataset, n, say.kept(c.Retained)))
	}
	text := ""
	if total > 0 {
		text = say.f("%s: %s", say.records(total), strings.Join(parts, ", "))
	}
	if len(missing) > 0 {
		if text != "" {
			text += say("; ")
		}
		text += say.f("not covered: %s", strings.Join(missing, ", "))
	}
	return text
}

func (say Say) kept(retained []dsar.Retention) string {
	var kept []string
	for _, r := range retained {
		if r.Until.IsZero() {
			kept = append(kept, say.f("%d retained with no end known, %s", r.Records, say(r.Ground)))
			continue
		}
		kept = append(kept, say.f("%d retained until %s, %s", r.Records, r.Until.Format(time.DateOnly), say(r.Ground)))
	}
	if len(kept) == 0 {
		return ""
	}
	return " (" + strings.Join(kept, say("; ")) + ")"
}

func (say Say) records(n int64) string { return say.plural(n, "%d record", "%d records") }
