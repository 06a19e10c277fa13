package node

import (
	"maps"

	"habeas.dev/pkg/manifest"
)

// purposes returns what the data of all systems is used for.
func (n *Node) purposes() manifest.Purposes {
	all := manifest.Purposes{}
	for _, m := range n.Manifests {
		maps.Copy(all, m.UsedFor())
	}
	return all
}
