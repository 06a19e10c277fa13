package lakesystem

import (
	"context"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// Plan writes the keys of what is held of many people, in one pass over each table. Rows
// with one key are one record. Its memory grows with the keys of the batch, some 100 bytes
// each: nothing else tells a key that came before.
func (s *System) Plan(ctx context.Context, jobs []*worker.PlanJob) error {
	tasks := make([]*worker.Task, len(jobs))
	for i, j := range jobs {
		tasks[i] = &j.Task
	}
	today := s.today()
	for _, d := range s.datasets {
		seen := make([]map[string]bool, len(jobs))
		err := s.pass(ctx, d, s.people(d, tasks), d.judged, func(v *view, i int, owners []int) error {
			key, err := v.key(i)
			if err != nil {
				return err
			}
			for _, who := range owners {
				j := jobs[who]
				if j.Err != nil || seen[who][key] {
					continue
				}
				if seen[who] == nil {
					seen[who] = map[string]bool{}
				}
				seen[who][key] = true
				stays := v.stays(i, j.Jurisdiction, today)
				switch {
				case stays.kept:
					j.Err = j.Plan.Keep(d.Name, key, dsar.Retention{Ground: stays.ground, Until: stays.until})
				case j.IsHeld(d.Name, key):
					j.Err = j.Plan.Keep(d.Name, key, dsar.Retention{Ground: dsar.LegalHold})
				default:
					j.Err = j.Plan.Erase(d.Name, key)
				}
			}
			return nil
		})
		if err != nil {
			return explain(d, err)
		}
	}
	return nil
}
