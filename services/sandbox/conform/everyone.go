package conform

import (
	"errors"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/sandbox/people"
)

// Declared checks that a manifest declares exactly what a system's people have.
func Declared(t *testing.T, m *manifest.Manifest, system string) {
	t.Helper()
	for _, r := range people.Generate(people.Config{Seed: 1}).Rows(system) {
		d := m.Dataset(r.Dataset)
		if d == nil {
			t.Fatalf("no dataset %s", r.Dataset)
		}
		for c := range r.Values {
			if d.Column(c) == nil {
				t.Fatalf("no column %s in %s", c, r.Dataset)
			}
		}
		if len(d.Columns) != len(r.Values) {
			t.Fatalf("%s has %d columns, the seeds have %d", r.Dataset, len(d.Columns), len(r.Values))
		}
	}
}

// GathersEveryone checks that everyone gets every record that is seeded of them, and
// none of another's, in one batch; and nobody nothing.
func (d *Direct) GathersEveryone() {
	d.T.Helper()
	emails := append(d.Emails(), people.NobodyEmail)
	copies, errs := d.Gather(emails...)
	for i := range emails {
		if errs[i] != nil {
			d.T.Fatalf("person %d: %v", i+1, errs[i])
		}
		want := map[string][]string{}
		if i < len(d.People.People) {
			want = d.Seeded(i + 1)
		}
		if !SameRows(copies[i].Rows, want) {
			d.T.Errorf("person %d: got %v, seeded are %v", i+1, Sizes(copies[i].Rows), Sizes(want))
		}
	}
}

// OneFailsAlone checks that the same person twice in a batch is told twice, and that
// one whose records can't be written fails alone.
func (d *Direct) OneFailsAlone() {
	d.T.Helper()
	e := d.Emails()
	tasks := []worker.Task{Task(dsar.Gather, e[0]), Task(dsar.Gather, e[0]), Task(dsar.Gather, e[1])}
	full := errors.New("the disk is full")
	copies := []*Copy{{}, {Full: full}, {}}
	if errs := d.GatherInto(tasks, copies); errs[0] != nil || !errors.Is(errs[1], full) || errs[2] != nil {
		d.T.Fatal(errs)
	}
	if !SameRows(copies[0].Rows, d.Seeded(1)) || !SameRows(copies[2].Rows, d.Seeded(2)) {
		d.T.Fatal("the others' records aren't whole")
	}
}
