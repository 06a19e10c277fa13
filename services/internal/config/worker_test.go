package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"go.yaml.in/yaml/v3"

	"habeas.dev/pkg/worker"
)

// TestWorkersReadTheSameFile: what a worker of its own reads of a file is what Habeas
// reads there: every key of worker.Settings, said or by default, and whatever an
// environment variable says instead. It sets variables, and isn't parallel.
func TestWorkersReadTheSameFile(t *testing.T) {
	var full Config
	n := 0
	fill(t, reflect.ValueOf(&full).Elem(), &n)
	full.Data = t.TempDir()
	marshalled, err := yaml.Marshal(full)
	if err != nil {
		t.Fatal(err)
	}
	everything := string(marshalled)
	for name, text := range map[string]string{
		"everything is said": everything,
		"nothing is said":    "systems: {name: {}}\n",
		"a folder is named":  "data: some/folder\nsystems: {name: {dsn: sqlite:///x}}\n",
	} {
		same := func(t *testing.T) {
			t.Helper()
			path := file(t, text)
			own, err := worker.ReadSettings(path, "name")
			if err != nil {
				t.Fatal(err)
			}
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			all, err := parse(f)
			if err != nil {
				t.Fatal(err)
			}
			// What Load does, but for the judgement of the values, which fit no rule here.
			if all.Data == "" {
				all.Data = filepath.Dir(path)
			}
			all, _ = all.fromEnvironment(os.Getenv).withDefaults()
			if leaves := within(t, "", keys(t, own), keys(t, all), text == everything); leaves < 15 {
				t.Errorf("only %d values were compared", leaves)
			}
		}
		t.Run(name, func(t *testing.T) {
			same(t)
			n := 0
			Config{}.fromEnvironment(func(variable string) string {
				n++
				t.Setenv(variable, fmt.Sprintf("from-%s", variable))
				return ""
			})
			if n < 8 {
				t.Fatalf("%d variables", n)
			}
			same(t)
		})
	}
}

// fill puts a value of its own into every field of a configuration.
func fill(t *testing.T, v reflect.Value, n *int) {
	t.Helper()
	*n++
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("value-%d", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n) * 1e9)
	case reflect.Float64:
		v.SetFloat(float64(*n) + 0.5)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(t, v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(t, v.Index(i), n)
		}
	case reflect.Map:
		one := reflect.New(v.Type().Elem()).Elem()
		fill(t, one, n)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("name"), one)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(t, v.Field(i), n)
		}
	default:
		t.Fatalf("a field of type %s", v.Type())
	}
}

// keys returns a configuration by the keys of its file.
func keys(t *testing.T, v any) map[string]any {
	t.Helper()
	text, err := yaml.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var m map[string]any
	if err := yaml.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

// within holds that all has what part has, and returns how many values that are. Where
// everything was said, no key of part may be without a value.
func within(t *testing.T, at string, part, all any, everything bool) (leaves int) {
	t.Helper()
	some, ok := part.(map[string]any)
	if !ok {
		if !reflect.DeepEqual(part, all) {
			t.Errorf("%s: a worker reads %v, Habeas %v", at, part, all)
		}
		return 1
	}
	whole, _ := all.(map[string]any)
	for key, value := range some {
		if everything && empty(value) {
			t.Errorf("%s/%s: Habeas writes no such key", at, key)
		}
		if other, ok := whole[key]; ok || !empty(value) {
			leaves += within(t, at+"/"+key, value, other, everything)
		}
	}
	return leaves
}

// empty reports whether a key may be left out of the file.
func empty(v any) bool {
	return v == nil || reflect.ValueOf(v).IsZero() || reflect.ValueOf(v).Kind() == reflect.Map && reflect.ValueOf(v).Len() == 0
}
