package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/alecthomas/kong"
)

// TestExamplesCanBeCalled: every call of habeas that a help text or a document shows
// is one that the command line understands.
func TestExamplesCanBeCalled(t *testing.T) {
	t.Parallel()
	parser, err := newParser()
	if err != nil {
		t.Fatal(err)
	}
	texts := map[string]string{}
	_ = kong.Visit(parser.Model, func(n kong.Visitable, next kong.Next) error {
		if command, ok := n.(*kong.Node); ok && command.Detail != "" {
			texts[command.FullPath()+" --help"] = command.Detail
		}
		return next(nil)
	})
	documents, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(documents, "../../README.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(path)] = codeOf(string(text))
	}
	tried := 0
	for where, text := range texts {
		for _, line := range strings.Split(text, "\n") {
			call, ok := strings.CutPrefix(strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), "Example:")), "habeas ")
			if !ok {
				continue
			}
			tried++
			if problem := misread(t, exampleWords(call)); problem != "" {
				t.Errorf("%s shows `habeas %s`: %s", where, call, problem)
			}
		}
	}
	if tried < 60 {
		t.Errorf("%d examples were found: the test doesn't see them any more", tried)
	}
	for _, wrong := range []string{"hold place ID --reason x", "trace ID --watsh", "extended ID"} {
		if misread(t, exampleWords(wrong)) == "" {
			t.Errorf("`habeas %s` is taken for a call", wrong)
		}
	}
}

// codeOf returns the code of a document: its blocks, and what stands in a line.
func codeOf(text string) string {
	var out []string
	for i, part := range strings.Split(text, "```") {
		if i%2 == 1 {
			out = append(out, part)
			continue
		}
		for _, code := range inline.FindAllStringSubmatch(part, -1) {
			out = append(out, strings.Join(strings.Fields(code[1]), " ")) // a line may break in it
		}
	}
	return strings.Join(out, "\n")
}

var inline = regexp.MustCompile("`([^`]+)`")

// explained is what follows a call in an example.
var explained = regexp.MustCompile(` (#|\||&&|<|>) .*| {3,}[^-\s].*`)

var word = regexp.MustCompile(`"[^"]*"|'[^']*'|\S+`)

// exampleWords returns the words of an example up to what explains it: a comment, another
// program, or a text that is set apart by blanks.
func exampleWords(call string) (out []string) {
	call = explained.ReplaceAllString(call, "")
	for _, w := range word.FindAllString(call, -1) {
		out = append(out, strings.Trim(w, `"'`))
	}
	return out
}

// misread returns what the command line finds wrong with a call; what an example
// leaves out is fine.
func misread(t *testing.T, args []string) string {
	t.Helper()
	parser, err := newParser(kong.Writers(io.Discard, io.Discard), kong.Exit(func(int) {}))
	if err != nil {
		t.Fatal(err)
	}
	_, err = parser.Parse(args)
	if err == nil || strings.HasPrefix(err.Error(), "missing flags") || strings.HasPrefix(err.Error(), "expected ") {
		return ""
	}
	return err.Error()
}

// TestHelpFits: the help of every command fits the screen, narrow or wide, and what it shows is
// typed as it stands: a call that is broken is whole again without its backslashes.
func TestHelpFits(t *testing.T) { //nolint:paralleltest // sets COLUMNS, by which kong goes
	parser, err := newParser()
	if err != nil {
		t.Fatal(err)
	}
	var all [][]string
	_ = kong.Visit(parser.Model, func(n kong.Visitable, next kong.Next) error {
		if command, ok := n.(*kong.Node); ok && !command.Hidden {
			all = append(all, strings.Fields(command.FullPath())[1:])
		}
		return next(nil)
	})
	if len(all) < 60 {
		t.Fatalf("only %d commands", len(all))
	}
	for _, width := range []int{60, 80, 120} {
		t.Setenv("COLUMNS", strconv.Itoa(width))
		for _, command := range all {
			var out strings.Builder
			one, err := newParser(kong.Writers(&out, io.Discard), kong.Exit(func(int) {}))
			if err != nil {
				t.Fatal(err)
			}
			_, _ = one.Parse(append(command, "--help"))
			if out.Len() == 0 {
				t.Errorf("%v has no help", command)
			}
			for _, line := range strings.Split(out.String(), "\n") {
				if n := utf8.RuneCountInString(line); n > width && len(unquotedWords(strings.TrimSpace(line))) > 1 {
					t.Errorf("%v at %d columns: %d in %q", command, width, n, line)
				}
			}
		}
	}
}

// TestFitted: calls, and what explains them, are broken so that both can be read, and typed.
func TestFitted(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"    habeas decide ID --finding upheld --reason \"it was complete\"": "    habeas decide ID --finding upheld \\\n        --reason \"it was complete\"",
		"Usage: habeas decide --finding=FINDING --reason=TEXT <id> [flags]":  "Usage: habeas decide --finding=FINDING\n  --reason=TEXT <id> [flags]",
		"    cut=0.1    done, and the answer is\n               cut short":   "    cut=0.1    done, and the answer is cut\n               short",
		"    habeas demo --data ./demo      again on the same folder":        "    habeas demo --data ./demo\n        again on the same folder",
		"    short": "    short",
		"":          "",
	} {
		if got := strings.Join(fitted(strings.Split(text, "\n"), 44), "\n"); got != want {
			t.Errorf("%s\nis broken into\n%s\nand not\n%s", text, got, want)
		}
	}
}
