package main

import (
	"go/parser"
	"go/token"
	"testing"
)

// TestMutantsApply: each mutant's place is in the source, once, and what is made of it
// is Go. Where a rule was moved or written anew, list.go says where it is now.
func TestMutantsApply(t *testing.T) {
	t.Parallel()
	root, err := repository(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rules := map[string]bool{}
	for _, m := range mutants {
		sources, err := m.sources(root)
		if err != nil {
			t.Errorf("%s: %v", m.rule, err)
		}
		for name, text := range sources {
			if _, err := parser.ParseFile(token.NewFileSet(), name, text, parser.SkipObjectResolution); err != nil {
				t.Errorf("%s: %v", m.rule, err)
			}
		}
		if rules[m.rule] {
			t.Errorf("%s stands twice", m.rule)
		}
		rules[m.rule] = true
	}
	for rule := range also {
		if !rules[rule] {
			t.Errorf("%s has a second place, and no first", rule)
		}
	}
}
