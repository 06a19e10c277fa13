package console

import (
	"testing"

	"habeas.dev/pkg/dsar"
)

// TestFlaggedRecordsCountOnce: what an erasure flags is among what stays.
func TestFlaggedRecordsCountOnce(t *testing.T) {
	t.Parallel()
	c := counted{Counts: dsar.Counts{Erased: 5, Restricted: 4, Retained: []dsar.Retention{{Records: 4, Ground: "tax"}}}}
	if got := c.records(); got != 9 {
		t.Errorf("%d records, want 9", got)
	}
	if c := (counted{Counts: dsar.Counts{Restricted: 4}}); c.records() != 4 || c.Plain() != 4 {
		t.Errorf("a restriction is of %d records, plainly %d", c.records(), c.Plain())
	}
}
