package draft

import (
	"cmp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// text is a file of YAML that is changed here and there: what isn't stays as it is, with
// comments, order and line breaks.
type text struct {
	lines []string // each with its line break
	edits []edit
}

// edit replaces the bytes of a line from a place on, up to another; a whole line where the
// end is -1.
type edit struct {
	line, from, to int
	with           string
}

func newText(source []byte) *text {
	return &text{lines: strings.SplitAfter(string(source), "\n")}
}

// place returns the line of a node and the byte at which it begins in it.
func (t *text) place(n *yaml.Node) (line, at int) {
	line = n.Line - 1
	runes := []rune(t.lines[line])
	return line, len(string(runes[:min(n.Column-1, len(runes))]))
}

// end returns the byte behind a node that stands in one line: a plain or quoted scalar, or
// a mapping in braces; false where it doesn't.
func (t *text) end(n *yaml.Node) (int, bool) {
	line, at := t.place(n)
	rest := t.lines[line][at:]
	depth, quote := 0, byte(0)
	for i := range len(rest) {
		switch b := rest[i]; {
		case quote != 0:
			if b == '\\' && quote == '"' {
				return 0, false
			}
			if b == quote {
				if quote = 0; depth == 0 {
					return at + i + 1, true
				}
			}
		case (b == '"' || b == '\'') && (i == 0 || depth > 0):
			quote = b
		case b == '{' || b == '[':
			depth++
		case b == '}' || b == ']':
			if depth == 0 {
				return at + i, true
			}
			if depth--; depth == 0 {
				return at + i + 1, true
			}
		case depth == 0 && (b == ',' || b == '\n' || b == '#' && i > 0 && rest[i-1] == ' '):
			return at + len(strings.TrimRight(rest[:i], " ")), true
		}
	}
	return 0, false
}

// append adds an entry to a list, and reports whether it could.
func (t *text) append(list *yaml.Node, entry string) bool {
	if len(list.Content) == 0 {
		return false
	}
	last := list.Content[len(list.Content)-1]
	line, at := t.place(last)
	end, ok := t.end(last)
	switch {
	case !ok:
		return false
	case list.Style&yaml.FlowStyle != 0:
		t.edits = append(t.edits, edit{line, end, end, ", " + entry})
	case last.Kind == yaml.ScalarNode || last.Style&yaml.FlowStyle != 0:
		dash := strings.LastIndexByte(t.lines[line][:at], '-')
		if dash < 0 {
			return false
		}
		t.edits = append(t.edits, edit{line + 1, 0, 0, t.lines[line][:dash] + "- " + entry + "\n"})
	default:
		return false
	}
	return true
}

// remove takes the entry of a column out of a list, and reports whether it could.
func (t *text) remove(list *yaml.Node, column string) bool {
	for i, n := range list.Content {
		name := n.Value
		if n.Kind == yaml.MappingNode && len(n.Content) > 0 {
			if name = n.Content[0].Value; under(n, "name") != nil {
				name = under(n, "name").Value
			}
		}
		if name != column {
			continue
		}
		line, at := t.place(n)
		end, ok := t.end(n)
		if !ok {
			return false
		}
		if list.Style&yaml.FlowStyle == 0 {
			if n.Kind != yaml.ScalarNode && n.Style&yaml.FlowStyle == 0 {
				return false
			}
			t.edits = append(t.edits, edit{line, 0, -1, ""})
			return true
		}
		whole := t.lines[line]
		if after := strings.TrimLeft(whole[end:], " "); strings.HasPrefix(after, ",") {
			end = len(whole) - len(strings.TrimLeft(after[1:], " "))
		} else if before := strings.TrimRight(whole[:at], " "); i > 0 && strings.HasSuffix(before, ",") {
			at = len(before) - 1
		} else {
			return false
		}
		t.edits = append(t.edits, edit{line, at, end, ""})
		return true
	}
	return false
}

// appendEntries adds entries, which are indented by two blanks, behind the last of a list
// that has one a line.
func (t *text) appendEntries(list *yaml.Node, entries string) {
	last := lastLine(list)
	if more := list.Content[0].Column - 5; more > 0 { // "  - name" begins in column 5
		indent := strings.Repeat(" ", more)
		entries = indent + strings.ReplaceAll(strings.TrimSuffix(entries, "\n"), "\n", "\n"+indent) + "\n"
	} else if more < 0 {
		entries = strings.ReplaceAll("\n"+entries, "\n"+strings.Repeat(" ", -more), "\n")[1:]
	}
	if last < len(t.lines) && !strings.HasSuffix(t.lines[last-1], "\n") {
		entries = "\n" + entries
	}
	t.edits = append(t.edits, edit{last, 0, 0, entries})
}

// lastLine returns the number of the last line of a node, from 1.
func lastLine(n *yaml.Node) int {
	line := n.Line
	if n.Kind == yaml.ScalarNode && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		line += strings.Count(n.Value, "\n")
	}
	for _, child := range n.Content {
		line = max(line, lastLine(child))
	}
	return line
}

// edited returns the text with its changes.
func (t *text) edited() []byte {
	lines := append(slices.Clone(t.lines), "")
	slices.SortStableFunc(t.edits, func(a, b edit) int { return cmp.Or(b.line-a.line, b.from-a.from) })
	// Of several at one place the first stands first.
	for i := 0; i < len(t.edits); {
		j := i + 1
		for j < len(t.edits) && t.edits[j].line == t.edits[i].line && t.edits[j].from == t.edits[i].from && t.edits[j].to == t.edits[j].from {
			t.edits[i].with += t.edits[j].with
			j++
		}
		e := t.edits[i]
		if e.to < 0 {
			lines[e.line] = e.with
		} else {
			lines[e.line] = lines[e.line][:e.from] + e.with + lines[e.line][e.to:]
		}
		i = j
	}
	return []byte(strings.Join(lines, ""))
}
