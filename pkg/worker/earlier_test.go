package worker

import (
	"slices"
	"testing"

	"habeas.dev/pkg/manifest"
)

// TestMergedPlansKeepWays: of several plans each record is there once, as the last has it,
// with all the ways in which it was found.
func TestMergedPlansKeepWays(t *testing.T) {
	t.Parallel()
	m, err := manifest.Parse("a.yaml", []byte("system: a\ntitle: {en: A}\nabilities: [gather, erase]\nneeds: [email]\ndatasets:\n  - {name: posts, title: {en: T}, category: identifiers, origin: provided, purpose: {en: P}, legal_basis: contract, storage: {en: S}, columns: [{name: id, type: string}]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	var plans []*Plan
	for _, entries := range [][]Entry{
		{{Dataset: "posts", Key: "1", Ways: "b"}, {Dataset: "posts", Key: "2", Ways: "b"}},
		{{Dataset: "posts", Key: "1", Ways: "a b", Keep: true, Ground: "tax"}, {Dataset: "posts", Key: "3"}},
		{{Dataset: "posts", Key: "1", Ways: "c"}},
	} {
		w := NewPlanWriter(m)
		for _, e := range entries {
			if err := w.Add(e); err != nil {
				t.Fatal(err)
			}
		}
		p, err := w.Plan()
		if err != nil {
			t.Fatal(err)
		}
		plans = append(plans, p)
	}
	all, err := merged(t.Context(), &Worker{manifest: m}, plans, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []Entry
	for e, err := range all.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	if want := []Entry{{Dataset: "posts", Key: "1", Ways: "a b c"}, {Dataset: "posts", Key: "3"}, {Dataset: "posts", Key: "2", Ways: "b"}}; !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestDueUntilDone: what an earlier plan had stay and a later one doesn't is due until that one
// was carried out, of a plan alone, too.
func TestDueUntilDone(t *testing.T) {
	t.Parallel()
	m, err := manifest.Parse("a.yaml", []byte("system: a\ntitle: {en: A}\nabilities: [gather, erase]\nneeds: [email]\ndatasets:\n  - {name: posts, title: {en: T}, category: identifiers, origin: provided, purpose: {en: P}, legal_basis: contract, storage: {en: S}, columns: [{name: id, type: string}]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	w := &Worker{manifest: m}
	plan := func(entries ...Entry) *Plan {
		p := NewPlanWriter(m)
		for _, e := range entries {
			if err := p.Add(e); err != nil {
				t.Fatal(err)
			}
		}
		out, err := p.Plan()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	kept, due := plan(Entry{Dataset: "posts", Key: "1", Keep: true, Ground: "tax"}), plan(Entry{Dataset: "posts", Key: "1", Due: true})
	for _, c := range []struct {
		plans []*Plan
		done  int
		want  Entry
	}{
		{[]*Plan{kept}, 1, Entry{Dataset: "posts", Key: "1", Keep: true, Ground: "tax"}},
		{[]*Plan{kept, due}, 1, Entry{Dataset: "posts", Key: "1", Due: true}},
		{[]*Plan{kept, due}, 2, Entry{Dataset: "posts", Key: "1"}},
		{[]*Plan{due}, 0, Entry{Dataset: "posts", Key: "1", Due: true}},
		{[]*Plan{kept, due}, nothingDone, Entry{Dataset: "posts", Key: "1", Due: true}},
		{[]*Plan{due}, 1, Entry{Dataset: "posts", Key: "1"}},
	} {
		all, err := merged(t.Context(), w, c.plans, c.done)
		if err != nil {
			t.Fatal(err)
		}
		for e, err := range all.Entries(t.Context()) {
			if err != nil || e != c.want {
				t.Errorf("of %d plans, %d done: %v %+v, want %+v", len(c.plans), c.done, err, e, c.want)
			}
		}
	}
}

// TestKeepEntryKeeps: what a caller names as staying is in the plan of what stays, also
// where it leaves that out of the entry.
func TestKeepEntryKeeps(t *testing.T) {
	t.Parallel()
	m, err := manifest.Parse("a.yaml", []byte("system: a\ntitle: {en: A}\nabilities: [gather, erase]\nneeds: [email]\ndatasets:\n  - {name: posts, title: {en: T}, category: identifiers, origin: provided, purpose: {en: P}, legal_basis: contract, storage: {en: S}, columns: [{name: id, type: string}]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	j := &EraseJob{late: NewPlanWriter(m)}
	j.KeepEntry(Entry{Dataset: "posts", Key: "1", Ground: "tax", Ways: "a"})
	if j.Err != nil {
		t.Fatal(j.Err)
	}
	p, err := j.late.Plan()
	if err != nil {
		t.Fatal(err)
	}
	for e, err := range p.Entries(t.Context()) {
		if want := (Entry{Dataset: "posts", Key: "1", Keep: true, Ground: "tax", Ways: "a"}); err != nil || e != want {
			t.Errorf("got %+v, %v, want %+v", e, err, want)
		}
	}
	if n := j.late.Counts(); len(n) != 1 || n[0].Kept() != 1 {
		t.Errorf("counted %+v", n)
	}
}
