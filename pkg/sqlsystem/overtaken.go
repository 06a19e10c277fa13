package sqlsystem

import (
	"cmp"
	"fmt"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// overtaken says that far more stands under a person's identifiers than was planned: somebody
// is shown that before it goes, as with a plan. Nothing is erased by that plan.
type overtaken struct{ late, limit int64 }

func (e *overtaken) Error() string {
	return fmt.Sprintf("%d records that no plan has would be erased", e.late)
}

func (e *overtaken) said() error {
	return worker.Permanent(dsar.CodePlanOvertaken, fmt.Sprintf("%d records are there that the plan doesn't have, more than the %d that the manifest expects of one person: nothing was erased; retry, and it is planned anew", e.late, e.limit), e)
}

// notOvertaken returns an error where more would be erased of a job that its plan doesn't have
// than a plan may erase before a person accepts it.
func (s *System) notOvertaken(jobs []*counted) error {
	limit := cmp.Or(s.m.MaxRecords, dsar.DefaultMaxRecords)
	for _, j := range jobs {
		late := int64(0)
		for _, c := range j.Counts {
			late += min(c.Late, c.Erased+c.Anonymised)
		}
		if late > limit {
			return &overtaken{late, limit}
		}
	}
	return nil
}
