package manifest

import (
	"strings"

	"go.yaml.in/yaml/v3"
)

// Names returns every name that the manifest has: of its datasets and their columns, of
// tables, of a vendor's objects, of the permissions that it tells of. A name of the form
// schema.table stands for its parts as well; and the grounds on which it has records stay.
// It is for looking up what a worker says in fields ([dsar.Cause], [dsar.Retention]); that a
// title is among them does no harm.
func (m *Manifest) Names() map[string]bool {
	names := map[string]bool{}
	text, err := yaml.Marshal(m)
	if err != nil {
		return names
	}
	var doc yaml.Node
	if yaml.Unmarshal(text, &doc) == nil {
		collect(&doc, names)
	}
	for i := range m.Datasets {
		if s := m.Datasets[i].SQL; s != nil {
			names[GroundKept] = names[GroundKept] || s.Erases(EraseKeep)
			names[GroundShared] = names[GroundShared] || len(s.UnlessShared) > 0
		}
	}
	return names
}

func collect(n *yaml.Node, names map[string]bool) {
	if n.Kind == yaml.ScalarNode {
		names[n.Value] = true
		for _, part := range strings.Split(n.Value, ".") {
			names[part] = true
		}
	}
	for _, child := range n.Content {
		collect(child, names)
	}
}
