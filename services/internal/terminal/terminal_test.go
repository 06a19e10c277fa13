package terminal_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/services/internal/terminal"
)

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for _, p := range pairs {
			if k, v, _ := strings.Cut(p, "="); k == name {
				return v
			}
		}
		return ""
	}
}

// TestPipesArePlain: what isn't a person's screen gets no colour and no line twice.
func TestPipesArePlain(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	out := terminal.Of(w, env("TERM=xterm-256color", "LANG=fr_FR.UTF-8"))
	if out.Live || out.Width != 0 || out.Paint(terminal.Wrong, "x") != "x" || !out.Unicode {
		t.Errorf("%+v", out)
	}
	if terminal.Of(w, env("LC_ALL=C", "LANG=fr_FR.UTF-8")).Unicode {
		t.Error("C shows more than ASCII")
	}
}

// TestBlock: a block is written in the place of the one before, and leaves nothing of it.
func TestBlock(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	b := terminal.Terminal{Writer: &out, Live: true}.Block()
	for _, lines := range [][]string{{"one", "two"}, {"three"}} {
		if err := b.Show(lines); err != nil {
			t.Fatal(err)
		}
	}
	const want = "\x1b[2Kone\n\x1b[2Ktwo\n" + "\x1b[2A\x1b[2Kthree\n\x1b[0J"
	if out.String() != want {
		t.Errorf("%q", out.String())
	}
}

// TestTable: columns stand one below the other, colours don't count, and no line is wider
// than the screen.
func TestTable(t *testing.T) {
	t.Parallel()
	rows := [][]terminal.Cell{{{Text: "REQUEST"}, {Text: "WAITS FOR"}}, {{Text: "été", Colour: terminal.Wrong}, {Text: "billing, marketplace, support"}}}
	got := terminal.Terminal{Width: 20, Unicode: true}.Table(rows)
	if want := []string{"REQUEST", "  WAITS FOR", "été", "  billing, marketpl…"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	got = terminal.Terminal{Width: 26, Unicode: true}.Table(rows)
	if want := []string{"REQUEST  WAITS FOR", "été      billing, marketp…"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	wide := [][]terminal.Cell{{{Text: "A"}, {Text: "B"}, {Text: "C"}, {Text: "D"}}, {{Text: "eight888"}, {Text: "twelve121212"}, {Text: "nine99999"}, {Text: "why it waits"}}}
	got = terminal.Terminal{Width: 24}.Table(wide)
	if want := []string{"A         B", "  C", "  D", "eight888  twelve121212", "  nine99999", "  why it waits"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := (terminal.Terminal{}).Table(rows); got[1] != "été      billing, marketplace, support" {
		t.Errorf("%q", got)
	}
}

// TestPrintf: what is given can't begin a line, move a cursor or turn the direction of
// writing, whatever type holds it; what the program has written stays.
func TestPrintf(t *testing.T) {
	t.Parallel()
	type word string
	nasty := "a\x1b[2J\r\n\u202eb\u009b\u2028\xff\té’\u00a0日本"
	const safe = `a\x1b[2J\r\n\u202eb\u009b\u2028\xff\té’` + "\u00a0日本"
	for _, c := range []struct {
		arg  any
		want string
	}{
		{nasty, safe}, {word(nasty), safe}, {errors.New(nasty), safe}, {[]byte(nasty), safe}, {[]string{nasty}, "[" + safe + "]"}, {struct{ s string }{nasty}, "{" + safe + "}"},
		{7, "7"}, {time.Second, "1s"}, {true, "true"}, {terminal.Written("a\n\x1b[1m"), "a\n\x1b[1m"}, {terminal.Lines("a\n\x1bb\n"), "a\n  \\x1bb"},
	} {
		var out strings.Builder
		if _, err := terminal.Printf(&out, "<%v>\n", c.arg); err != nil || out.String() != "<"+c.want+">\n" {
			t.Errorf("%q: %q, want %q, %v", c.arg, out.String(), c.want, err)
		}
	}
	rows := [][]terminal.Cell{{{Text: "ID"}, {Text: "B"}}, {{Text: nasty}, {Text: nasty}}}
	for _, line := range (terminal.Terminal{}).Table(rows) {
		if strings.ContainsAny(line, "\x1b\n\r\t") {
			t.Errorf("a table's line: %q", line)
		}
	}
}
