package main

import (
	"strings"
	"testing"

	"habeas.dev/services/internal/config"
)

// TestCompletion: what is offered is what the command line takes at that place.
func TestCompletion(t *testing.T) {
	t.Parallel()
	parser, err := newParser()
	if err != nil {
		t.Fatal(err)
	}
	requests := func() []string { return []string{"3cf5cf5f", "9d01aa00"} }
	for line, want := range map[string]string{
		"reque":                         "requests",
		"manifest d":                    "diff",
		"trace --wa":                    "--watch",
		"trace 3":                       "3cf5cf5f",
		"trace --watch 9":               "9d01aa00",
		"trace 3cf5cf5f ":               "",
		"requests --output ":            "csv json table",
		"requests --limit 5 --output j": "json",
		"decide 3cf5cf5f --finding d":   "dismissed",
		"completion ":                   "bash fish zsh",
		"nothing of the kind ":          "",
	} {
		if got := completions(parser.Model, strings.Split(line, " "), requests); strings.Join(got, " ") != want {
			t.Errorf("habeas %s: %q", line, got)
		}
	}
	for shell, script := range scripts {
		if !strings.Contains(script, "complete --") {
			t.Errorf("the script of %s asks nobody", shell)
		}
	}
}

// TestOpen: a request's page is where browsers reach the console, and without a screen no
// browser is started.
func TestOpen(t *testing.T) {
	t.Parallel()
	for listen, want := range map[string]string{"127.0.0.1:8481": "http://127.0.0.1:8481", ":8481": "http://localhost:8481", "0.0.0.0:8481": "http://localhost:8481", "127.0.0.1:0": "", "": ""} {
		got, err := consoleOf(config.Config{Console: config.Console{Listen: listen}})
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %s, %v", listen, got, err)
		}
	}
	if got := browserOf("linux", func(string) string { return "" }); got != nil {
		t.Errorf("without a screen %v is started", got)
	}
}
