package manifest

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"habeas.dev/pkg/dsar"
)

// SQLFiles says where the files of a dataset's rows lie: in a folder or a bucket, under a
// name that columns of the table make. They are gathered as the column that
// [File.Content] names, and removed with the row, or when it is made anonymous.
type SQLFiles struct {
	// In is the folder or bucket, as the configuration calls it.
	In string `yaml:"in"`
	// Path is what a row's file is called there: a text in which columns of the table
	// stand in braces ([BesidePart]). A row without a value in one of them has no file.
	Path string `yaml:"path"`
	// Also are what further files of the row are called, such as a preview: they aren't
	// gathered, and are removed with it.
	Also []string `yaml:"also,omitempty"`
}

// Paths returns what the files of a row are called: first the one that is gathered.
func (f *SQLFiles) Paths() []string { return append([]string{f.Path}, f.Also...) }

// BesidePart is a part of a file's name: a text, or what a column holds. {id} is the
// column id, {id 9} the same with zeros before it up to nine characters, {key 1-2} its
// first two characters, and {id 9 4-6} the fourth to sixth of nine.
type BesidePart struct {
	Text, Column string
	Width        int // 0: as it is
	From, To     int // characters, counted from 1 on; 0: all
}

var besideForm = regexp.MustCompile(`\{([\pL_][\pL\pN_]*)(?: ([0-9]{1,2}))?(?: ([0-9]{1,2})-([0-9]{1,2}))?\}`)

// ParseBeside takes the name of a file apart.
func ParseBeside(text string) []BesidePart {
	var parts []BesidePart
	rest := 0
	for _, at := range besideForm.FindAllStringSubmatchIndex(text, -1) {
		if at[0] > rest {
			parts = append(parts, BesidePart{Text: text[rest:at[0]]})
		}
		number := func(group int) int {
			if at[2*group] < 0 {
				return 0
			}
			n, _ := strconv.Atoi(text[at[2*group]:at[2*group+1]]) // digits
			return n
		}
		parts = append(parts, BesidePart{Column: text[at[2]:at[3]], Width: number(2), From: number(3), To: number(4)})
		rest = at[1]
	}
	if rest < len(text) {
		parts = append(parts, BesidePart{Text: text[rest:]})
	}
	return parts
}

// Columns returns the columns that the names are made of, each once.
func (f *SQLFiles) Columns() []string {
	var names []string
	for _, path := range f.Paths() {
		for _, p := range ParseBeside(path) {
			if p.Column != "" && !slices.Contains(names, p.Column) {
				names = append(names, p.Column)
			}
		}
	}
	return names
}

// Name makes the name of a file of what a row's columns hold; empty where one of them
// holds nothing, so that there is none. A name that leads out of the folder is false.
func (f *SQLFiles) Name(path string, held func(column string) string) (name string, ok bool) {
	var b strings.Builder
	for _, p := range ParseBeside(path) {
		if p.Column == "" {
			b.WriteString(p.Text)
			continue
		}
		value := held(p.Column)
		if value == "" {
			return "", true
		}
		b.WriteString(p.of(value))
	}
	name = strings.TrimPrefix(b.String(), "/")
	return name, fs.ValidPath(name) && name != "." && !strings.ContainsRune(name, 0)
}

// HeldBy returns what the columns that stand whole in a path hold in each row whose file may be
// called name: values for each, of which no other can be there. There is no such row where ok is
// false.
func HeldBy(path, name string) (held map[string][]string, ok bool) {
	parts := ParseBeside(path)
	held = map[string][]string{}
	for _, text := range []string{name, "/" + name} { // [SQLFiles.Name] takes one off
		ok = heldBy(parts, []rune(text), held) || ok
	}
	for column := range held {
		slices.Sort(held[column])
		held[column] = slices.Compact(held[column])
	}
	return held, ok
}

// heldBy adds what columns hold where parts make a text.
func heldBy(parts []BesidePart, text []rune, held map[string][]string) bool {
	// before has, for each part, where it may begin: what is before it makes the text until there.
	before := make([][]bool, len(parts)+1)
	for i := range before {
		before[i] = make([]bool, len(text)+1)
	}
	before[0][0] = true
	for i, p := range parts {
		for from := range before[i] {
			for to := from; before[i][from] && to <= len(text); to++ {
				before[i+1][to] = before[i+1][to] || p.mayBe(string(text[from:to]))
			}
		}
	}
	after := make([]bool, len(text)+1) // where what follows makes the rest
	after[len(text)] = true
	for i, p := range slices.Backward(parts) {
		begins := make([]bool, len(text)+1)
		for from := range begins {
			for to := from; before[i][from] && to <= len(text); to++ {
				if !after[to] || !p.mayBe(string(text[from:to])) {
					continue
				}
				begins[from] = true
				if value := string(text[from:to]); p.Column != "" && p.From == 0 {
					held[p.Column] = append(held[p.Column], value)
					for p.Width > 0 && len(value) > 1 && value[0] == '0' {
						value = value[1:]
						held[p.Column] = append(held[p.Column], value)
					}
				}
			}
		}
		after = begins
	}
	return after[0]
}

// mayBe reports whether a value may make a text of the part.
func (p BesidePart) mayBe(text string) bool {
	switch n := len([]rune(text)); {
	case p.Column == "":
		return text == p.Text
	case p.From > 0:
		return n <= p.To-p.From+1
	default:
		return n > 0 && n >= p.Width
	}
}

// of returns the part that a value makes.
func (p BesidePart) of(value string) string {
	if missing := p.Width - len([]rune(value)); missing > 0 {
		value = strings.Repeat("0", missing) + value
	}
	if p.From == 0 {
		return value
	}
	r := []rune(value)
	return string(r[min(p.From-1, len(r)):min(p.To, len(r))])
}

// beside checks where the files of a dataset lie.
func (v *validation) beside(path string, d *Dataset) {
	f := d.SQL.Files
	if f == nil {
		return
	}
	if !groundForm.MatchString(f.In) {
		v.missing(path+".in", f.In, "folder or bucket", "name it in lower-case letters, digits and dashes, as systems.NAME.files of the configuration does")
	}
	if d.File == nil {
		v.add(path, "the files have no column in the records", "add file: {content: photo} to the dataset, and a column photo")
	} else if d.SQL.Columns[d.File.Content] != "" || slices.Contains(d.SQL.Corrigible(), d.File.Content) {
		v.add(path, fmt.Sprintf("%q is what lies beside the rows, and in no column of the table", d.File.Content), "leave it out of columns and rectify, or leave files out")
	}
	for i, text := range f.Paths() {
		at := path + ".path"
		if i > 0 {
			at = index(path+".also", i-1)
		}
		parts := ParseBeside(text)
		columns := slices.DeleteFunc(slices.Clone(parts), func(p BesidePart) bool { return p.Column == "" })
		switch {
		case text == "":
			v.add(at, "path is missing", "write what a row's file is called, with columns of the table in braces: \"photos/{id}.jpg\"")
			continue
		case len(columns) == 0:
			v.add(at, fmt.Sprintf("%q is the same file for every row", text), "put a column of the table in braces: \"photos/{id}.jpg\"")
		}
		for _, p := range parts {
			if p.Column != "" && (p.From > p.To || p.Width > 0 && p.To > p.Width || p.From == 0 && p.To > 0) {
				v.add(at, fmt.Sprintf("{%s %d-%d} are no characters of it", p.Column, p.From, p.To), "write the first and the last, counted from 1: {id 9 1-3}")
			}
			if p.Column == "" && strings.ContainsAny(p.Text, "{}\\") {
				v.add(at, fmt.Sprintf("%q has braces that name no column", text), "write {id}, {id 9} for nine characters with zeros before it, or {key 1-2} for its first two")
			}
		}
	}
	if !slices.Contains(v.m.Abilities, dsar.Gather) {
		v.add(path, "the system gathers nothing, and so no files", "add gather to abilities")
	}
}
