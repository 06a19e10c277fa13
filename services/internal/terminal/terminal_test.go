package terminal_test

import (
	"os"
	"slices"
	"strings"
	"testing"

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
	if want := []string{"REQUEST  WAITS FOR", "été      billing, m…"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if got := (terminal.Terminal{}).Table(rows); got[1] != "été      billing, marketplace, support" {
		t.Errorf("%q", got)
	}
}
