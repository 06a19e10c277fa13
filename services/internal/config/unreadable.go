package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

var (
	noSetting = regexp.MustCompile(`^line (\d+): field (.*) not found in type `)
	wrongKind = regexp.MustCompile(`(?s)^line (\d+): cannot unmarshal !!(\w+)\b.* into (\S+)$`)
)

// unreadable says in one line, and in words of whoever wrote the file, why it can't be read:
// on which line, and what to write there. It says no value: one may be a secret.
func unreadable(err error) error {
	var types *yaml.TypeError
	if !errors.As(err, &types) {
		return errors.New(strings.Join(strings.Fields(err.Error()), " "))
	}
	var all []string
	for _, one := range types.Errors {
		switch {
		case noSetting.MatchString(one):
			m := noSetting.FindStringSubmatch(one)
			all = append(all, "line "+m[1]+": "+unknown(m[2]))
		case wrongKind.MatchString(one):
			m := wrongKind.FindStringSubmatch(one)
			all = append(all, fmt.Sprintf("line %s: %s stands where %s belongs", m[1], kindOf(m[2]), wanted(m[3])))
		default:
			all = append(all, strings.Join(strings.Fields(one), " "))
		}
	}
	return errors.New(strings.Join(all, "; "))
}

// unknown says that there is no setting of a name, and which one may be meant.
func unknown(name string) string {
	near, least := "", 3 // two letters away at most
	for _, known := range settingNames() {
		if d := distance(name, known); d < least && d < len(known) {
			near, least = known, d
		}
	}
	if near == "" {
		return fmt.Sprintf("there is no setting %q here; docs/operate.md lists them", name)
	}
	return fmt.Sprintf("there is no setting %q here; is %q meant?", name, near)
}

// settingNames returns the names of all settings, sorted.
func settingNames() []string {
	var names []string
	seen := map[reflect.Type]bool{}
	var walk func(t reflect.Type)
	walk = func(t reflect.Type) {
		switch t.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(t.Elem())
		case reflect.Struct:
			if seen[t] {
				return
			}
			seen[t] = true
			for f := range t.NumField() {
				name, _, _ := strings.Cut(t.Field(f).Tag.Get("yaml"), ",")
				if name != "" && name != "-" {
					names = append(names, name)
				}
				walk(t.Field(f).Type)
			}
		}
	}
	walk(reflect.TypeFor[Config]())
	slices.Sort(names)
	return slices.Compact(names)
}

// distance returns how many letters are changed, added or left out from one word to another.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := before
			if a[i] != b[j] {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// kindOf says what a value is that stands in the file, by its tag in YAML.
func kindOf(tag string) string {
	switch tag {
	case "seq":
		return "a list"
	case "map":
		return "a block of settings"
	case "int", "float":
		return "a number"
	case "bool":
		return "true or false"
	case "null":
		return "nothing"
	default:
		return "a text"
	}
}

// wanted says what belongs there, by the name of its Go type.
func wanted(typ string) string {
	switch {
	case typ == "time.Duration":
		return "a duration, such as 10m"
	case strings.HasPrefix(typ, "[]"):
		return "a list, such as [a, b]"
	case strings.HasPrefix(typ, "int"), strings.HasPrefix(typ, "uint"), strings.HasPrefix(typ, "float"):
		return "a number"
	case typ == "bool":
		return "true or false"
	case typ == "string":
		return "a text"
	default:
		return "a block of settings (NAME: VALUE, indented)"
	}
}
