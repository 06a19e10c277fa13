package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
)

// Catalogue checks that manifests fit together, and returns their systems'
// definitions in the same order. It refuses two manifests of one system, an
// erase_after that names an unknown system or the system itself, and a cycle in
// erase_after, which it names.
func Catalogue(ms []*Manifest) ([]dsar.System, error) {
	byName := make(map[string]*Manifest, len(ms))
	systems := make([]dsar.System, 0, len(ms))
	for _, m := range ms {
		if first := byName[m.System]; first != nil {
			return nil, m.problem("system", fmt.Sprintf("system %q is declared already, in %s", m.System, first.At("system")), "rename one, or drop it")
		}
		byName[m.System] = m
		systems = append(systems, m.Definition())
	}
	for _, m := range ms {
		for i, name := range m.EraseAfter {
			if byName[name] == nil {
				return nil, m.problem(fmt.Sprintf("erase_after[%d]", i), fmt.Sprintf("erase_after names the unknown system %q", name),
					"name one of "+strings.Join(slices.Sorted(maps.Keys(byName)), ", ")+", or leave it out")
			}
		}
	}
	if circle := cycle(systems); circle != nil {
		m := byName[circle[0]]
		return nil, m.problem("erase_after", "erase_after goes round in a circle: "+strings.Join(circle, " after "), "leave one of them out")
	}
	return systems, nil
}

// cycle returns the names of systems that wait for each other by erase_after, the
// first again at the end; nil if none do.
func cycle(systems []dsar.System) []string {
	after := make(map[string][]string, len(systems))
	var names []string
	for _, s := range systems {
		after[s.Name] = s.EraseAfter
		names = append(names, s.Name)
	}
	return cycleOf(names, func(name string) []string { return after[name] })
}

// cycleOf returns a cycle of a graph: its names, the first again at the end; nil if
// there is none.
func cycleOf(names []string, next func(string) []string) []string {
	const inHand, done = 1, 2
	state := map[string]int{}
	var path, found []string
	var visit func(string) bool
	visit = func(name string) bool {
		switch state[name] {
		case inHand:
			found = append(slices.Clone(path[slices.Index(path, name):]), name)
			return true
		case done:
			return false
		}
		state[name] = inHand
		path = append(path, name)
		if slices.ContainsFunc(next(name), visit) {
			return true
		}
		path = path[:len(path)-1]
		state[name] = done
		return false
	}
	for _, name := range names {
		if visit(name) {
			break
		}
	}
	return found
}
