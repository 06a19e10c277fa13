package erasure_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/systems/internal/erasure"
)

// TestAccount: whatever is planned and done, each dataset's records add up.
func TestAccount(t *testing.T) {
	t.Parallel()
	m := &manifest.Manifest{System: "crm", Datasets: []manifest.Dataset{{Name: "people"}, {Name: "notes"}}}
	rapid.Check(t, func(t *rapid.T) {
		planned := map[[2]string]bool{}
		plan := worker.NewPlanWriter(m)
		record := rapid.Custom(func(t *rapid.T) [2]string {
			return [2]string{rapid.SampledFrom([]string{"people", "notes"}).Draw(t, "dataset"), rapid.StringMatching("[a-f]").Draw(t, "key")}
		})
		for _, r := range rapid.SliceOfDistinct(record, rapid.ID[[2]string]).Draw(t, "planned") {
			planned[r] = true
			if err := plan.Erase(r[0], r[1]); err != nil {
				t.Fatal(err)
			}
		}
		p, err := plan.Plan()
		if err != nil {
			t.Fatal(err)
		}
		a, err := erasure.New(t.Context(), &worker.EraseJob{Plan: p})
		if err != nil {
			t.Fatal(err)
		}
		done, late := map[string]int64{}, map[string]int64{}
		met := map[[2]string]bool{}
		for _, r := range rapid.SliceOfDistinct(record, rapid.ID[[2]string]).Draw(t, "done") {
			if a.Planned(r[0], r[1]) != planned[r] {
				t.Fatalf("%v is planned: %t", r, !planned[r])
			}
			switch rapid.IntRange(0, 2).Draw(t, "how") {
			case 0:
				a.Erased(r[0], r[1])
			case 1:
				a.Anonymised(r[0], r[1])
			default:
				a.Kept(r[0], r[1], dsar.Retention{Ground: "tax-records", Until: time.Unix(rapid.Int64Range(0, 9).Draw(t, "until"), 0)})
			}
			met[r] = true
			if done[r[0]]++; !planned[r] {
				late[r[0]]++
			}
		}
		counts := a.Counts()
		if unmet := dsar.Unmet(p.Counts(), counts); unmet != "" {
			t.Fatal(unmet)
		}
		gone := map[string]int64{}
		for r := range planned {
			if !met[r] {
				gone[r[0]]++
			}
		}
		for _, c := range counts {
			if c.Erased+c.Anonymised+c.Kept() != done[c.Dataset] || c.Late != late[c.Dataset] || c.Gone != gone[c.Dataset] {
				t.Fatalf("%+v; done %d, late %d, gone %d", c, done[c.Dataset], late[c.Dataset], gone[c.Dataset])
			}
		}
	})
}
