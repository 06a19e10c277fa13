package policy

import (
	"fmt"
	"time"

	"habeas.dev/pkg/dsar"
)

// Example is a due date that somebody worked out by hand and wrote into a law's file.
// A law whose examples don't come out isn't loaded.
type Example struct {
	Right    dsar.Right `yaml:"right"`
	Received time.Time  `yaml:"received"`
	// Due is the last day, in the law's own time zone.
	Due Date `yaml:"due"`
	// Extended is the last day where the period is extended; absent: that isn't looked at.
	Extended *Date  `yaml:"extended"`
	Source   string `yaml:"source"`
	Read     Read   `yaml:"read"`
}

// workOut returns the error of the first example that comes out otherwise.
func (j Jurisdiction) workOut() error {
	for i, e := range j.Examples {
		if _, ok := j.Grant(e.Right, e.Received); !ok {
			return fmt.Errorf("examples[%d]: the law doesn't grant %s", i, e.Right)
		}
		if due := j.day(j.Due(e.Right, e.Received)); due != e.Due.date {
			return fmt.Errorf("examples[%d]: %s received %s is due %s by the periods of the file, and %s by the example (%s)",
				i, e.Right, e.Received.UTC().Format(time.RFC3339), due, e.Due.date, e.Source)
		}
		if e.Extended == nil {
			continue
		}
		at, ok := j.Extended(e.Right, e.Received)
		if !ok || j.day(at) != e.Extended.date {
			return fmt.Errorf("examples[%d]: %s received %s doesn't come out as extended to %s (%s)",
				i, e.Right, e.Received.UTC().Format(time.RFC3339), e.Extended.date, e.Source)
		}
	}
	return nil
}
