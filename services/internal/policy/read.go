package policy

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Read says how a value's source was had. A lawyer looks at what isn't [ReadText]
// first: habeas law check lists it.
type Read string

// The ways of having a source.
const (
	ReadText   Read = "text"   // the text itself was read
	ReadOf     Read = "survey" // a summary or quotation by others was read
	ReadMemory Read = "memory" // nothing was read
	ReadUnsaid Read = ""       // nobody says how
)

// Unread is a value of a law's file whose source's text was not read.
type Unread struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Where  string `json:"where"` // rights[6].answer
	Source string `json:"source"`
	Read   Read   `json:"read"`
}

// markAll gives every value with a source the mark of its file's head, where it has none of
// its own, and lists those whose source's text was not read, in the order of the file.
func markAll(doc *yaml.Node) (found []Unread) {
	for _, n := range doc.Content {
		all := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: string(ReadUnsaid)}
		if i := member(n, "read"); i >= 0 {
			all = n.Content[i+1]
		}
		found = append(found, mark(n, "", all)...)
	}
	return found
}

// member returns the place of a key in a mapping; -1 where it isn't there.
func member(n *yaml.Node, key string) int {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return i
		}
	}
	return -1
}

func mark(n *yaml.Node, where string, all *yaml.Node) (found []Unread) {
	switch n.Kind {
	case yaml.SequenceNode:
		for i, one := range n.Content {
			found = append(found, mark(one, fmt.Sprintf("%s[%d]", where, i), all)...)
		}
	case yaml.MappingNode:
		if member(n, "source") >= 0 && member(n, "read") < 0 && all.Value != string(ReadUnsaid) {
			n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "read"}, all)
		}
		own := Unread{Line: n.Line, Where: strings.TrimPrefix(where, ".")}
		for i := 0; i+1 < len(n.Content); i += 2 {
			switch key, value := n.Content[i].Value, n.Content[i+1]; key {
			case "source":
				own.Source = value.Value
			case "read":
				own.Read = Read(value.Value)
			default:
				found = append(found, mark(value, where+"."+key, all)...)
			}
		}
		if own.Source != "" && own.Read != ReadText {
			found = append([]Unread{own}, found...)
		}
	}
	return found
}

// in returns values with the file that they are in.
func in(file string, values []Unread) []Unread {
	for i := range values {
		values[i].File = file
	}
	return values
}
