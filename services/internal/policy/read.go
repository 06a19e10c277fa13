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
	ReadText   Read = ""       // the text itself was read
	ReadOf     Read = "survey" // a summary or quotation by others was read
	ReadMemory Read = "memory" // nothing was read
)

// Unread is a value of a law's file whose source's text was not read.
type Unread struct {
	Line   int    `json:"line"`
	Where  string `json:"where"` // rights[6].answer
	Source string `json:"source"`
	Read   Read   `json:"read"`
}

// unreadIn lists the values of a law's file whose source's text was not read, in the
// order of the file.
func unreadIn(file []byte) ([]Unread, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(file, &doc); err != nil {
		return nil, err
	}
	var found []Unread
	for _, n := range doc.Content {
		found = append(found, unread(n, "")...)
	}
	return found, nil
}

func unread(n *yaml.Node, where string) (found []Unread) {
	switch n.Kind {
	case yaml.SequenceNode:
		for i, one := range n.Content {
			found = append(found, unread(one, fmt.Sprintf("%s[%d]", where, i))...)
		}
	case yaml.MappingNode:
		own := Unread{Line: n.Line, Where: strings.TrimPrefix(where, ".")}
		for i := 0; i+1 < len(n.Content); i += 2 {
			switch key, value := n.Content[i].Value, n.Content[i+1]; key {
			case "source":
				own.Source = value.Value
			case "read":
				own.Read = Read(value.Value)
			default:
				found = append(found, unread(value, where+"."+key)...)
			}
		}
		if own.Read != ReadText {
			found = append([]Unread{own}, found...)
		}
	}
	return found
}
