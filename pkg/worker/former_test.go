package worker

import (
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/link"
)

// TestIsFormer: what an earlier erasure keeps is left out where nothing leads to it but numbers in
// common with it, and counted once.
func TestIsFormer(t *testing.T) {
	t.Parallel()
	number, address := Identifier{Type: "user_id", Value: "5"}, Identifier{Type: "email", Value: "dora@example.com"}
	task := &Task{formers: &formers{left: map[recordKey]bool{}, all: []formerKept{
		{numbers: []link.Identifier{{Type: "user_id", Value: "5"}}, kept: map[recordKey]bool{{"notes", "1"}: true}},
		{numbers: []link.Identifier{{Type: "user_id", Value: "6"}}, kept: map[recordKey]bool{{"notes", "2"}: true}},
	}}}
	for _, c := range []struct {
		dataset, key string
		by           []Identifier
		want         bool
	}{
		{"notes", "1", []Identifier{number}, true},
		{"notes", "1", []Identifier{number, number}, true},
		{"notes", "1", []Identifier{number, address}, false},
		{"notes", "1", nil, false},
		{"notes", "2", []Identifier{number}, false}, // it is kept of another number's holder
		{"notes", "3", []Identifier{number}, false},
		{"posts", "1", []Identifier{number}, false},
	} {
		if got := task.IsFormer(c.dataset, c.key, c.by...); got != c.want {
			t.Errorf("%s %s by %d: %t", c.dataset, c.key, len(c.by), got)
		}
	}
	if counts := task.countFormers([]dsar.Counts{{Dataset: "posts", Found: 2}}); len(counts) != 2 || counts[0].Former != 0 || counts[1].Dataset != "notes" || counts[1].Former != 1 {
		t.Errorf("counted %+v", counts)
	}
	if (&Task{}).IsFormer("notes", "1", number) {
		t.Error("left out, though nobody had the number before")
	}
}
