package config

import (
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
)

// Wide is something that a configuration leaves wider than it must be.
type Wide struct {
	Where string `json:"where"` // the setting
	What  string `json:"what"`
	Cure  string `json:"cure"`
}

// Strict returns what is wider than it must be, by setting: what a stranger, or one
// component with all that it has, could do that it needn't. Each setting is held against
// what [table] says of it. It reads the files that are named, to tell who may read and
// write them and where several hold the same secret, and the variables by which drivers of
// buckets go elsewhere, and connects to nothing.
func (c Config) Strict() []Wide {
	return c.strict(os.Getenv)
}

func (c Config) strict(environment func(string) string) []Wide {
	v := view{c, c.settings(), map[string]string{}, environment}
	for _, s := range v.all {
		if slices.ContainsFunc(table[s.Setting], func(a answer) bool { return a.holds }) {
			v.secrets[s.Where] = content(secretFile(s))
		}
	}
	var all []Wide
	for _, s := range v.all {
		for _, a := range table[s.Setting] {
			if what := a.is(v, s); what != "" {
				all = append(all, Wide{s.Where, what, a.cure})
			}
		}
	}
	slices.SortFunc(all, func(a, b Wide) int { return strings.Compare(a.Where+"\x00"+a.What, b.Where+"\x00"+b.What) })
	return slices.Compact(all)
}

// view is a configuration as [table] looks at it.
type view struct {
	Config
	all     []setting
	secrets map[string]string // what tells each file with a secret from others, by setting
	// environment returns a variable that drivers of buckets and keys go by.
	environment func(name string) string
}

// setting is one place of a configuration, a whole part of it or a single value.
type setting struct {
	// Setting is its path as [table] has it, with * for what people name and count:
	// systems.*.dsn, notify.webhooks.*.url.
	Setting string
	// Where is its path as a person finds it: systems.billing.dsn, notify.webhooks[0].url.
	Where string
	Value any
}

// text returns the setting's value where it is a text, else nothing.
func (s setting) text() string {
	if v := reflect.ValueOf(s.Value); v.IsValid() && v.Kind() == reflect.String {
		return v.String()
	}
	return ""
}

// settings returns every place that the configuration has, parts before what is in them.
func (c Config) settings() []setting {
	var all []setting
	var walk func(s setting, v reflect.Value)
	walk = func(s setting, v reflect.Value) {
		if v.Kind() == reflect.Pointer && !v.IsNil() {
			v = v.Elem()
		}
		if s.Setting != "" {
			s.Value = v.Interface()
			all = append(all, s)
		}
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				name, options, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
				if name == "-" { // no setting: nobody can write it
					continue
				}
				if options == "inline" {
					walk(setting{}, v.Field(i)) // [Again], at the top
					continue
				}
				walk(setting{Setting: below(s.Setting, name), Where: below(s.Where, name)}, v.Field(i))
			}
		case reflect.Map:
			for _, key := range slices.Sorted(maps.Keys(byName(v))) {
				walk(setting{Setting: s.Setting + ".*", Where: s.Where + "." + key}, byName(v)[key])
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(setting{Setting: s.Setting + ".*", Where: fmt.Sprintf("%s[%d]", s.Where, i)}, v.Index(i))
			}
		default:
		}
	}
	walk(setting{}, reflect.ValueOf(c))
	return all
}

func below(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func byName(v reflect.Value) map[string]reflect.Value {
	all := map[string]reflect.Value{}
	for _, key := range v.MapKeys() {
		all[fmt.Sprint(key)] = v.MapIndex(key)
	}
	return all
}
