package vendorapi

import (
	"encoding/json"
	"testing"
)

// FuzzWhole: the scanner takes what encoding/json takes, and nothing else.
func FuzzWhole(f *testing.F) {
	for _, s := range []string{`{}`, `[1,2.5e-3,"a\u00e9\n",null,true,{"a":[]}]`, `{"a":1,}`, `[1,]`, `01`, `-`, `"`, `"\x"`, "\"\x01\"", `{"a"}`, ` 1 `, `1 2`, `tru`, "\"\xff\"", `{"a":{"b":[[],{}]}}`, `{,}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, want := CheckJSON([]byte(s)) == nil, json.Valid([]byte(s))
		// Beyond encoding/json, the scanner refuses what isn't UTF-8 and what
		// is nested too deeply.
		if got && !want {
			t.Fatalf("%q was taken", s)
		}
		if !got && want && len(s) < maxDepth && NewScanner([]byte(s)).Err() == nil {
			t.Fatalf("%q was refused", s)
		}
	})
}

func TestText(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{`"a"`: "a", `"a\"\u00e9"`: `a"é`, `1`: "", `null`: "", ``: ""} {
		if got := Text([]byte(raw)); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}
