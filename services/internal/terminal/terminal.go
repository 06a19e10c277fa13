// Package terminal is what a command writes to: whether it is a person's screen, how wide it
// is, and whether it shows colours.
//
// A pipe or file gets plain lines. NO_COLOR (no-color.org) switches colours off, and a
// terminal that says it is dumb gets neither colours nor lines that move.
package terminal

import (
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/term"
)

// Terminal is where a command writes to.
type Terminal struct {
	io.Writer
	// Live says that lines can be written anew.
	Live bool
	// Unicode says that it shows more than ASCII.
	Unicode bool
	// Width and Height are its size in characters; 0: it has none.
	Width, Height int

	colours bool
}

// Of returns what a file is, by its own word and by the environment's.
func Of(f *os.File, env func(string) string) Terminal {
	t := Terminal{Writer: f, Unicode: strings.Contains(strings.ToUpper(locale(env)), "UTF")}
	if !term.IsTerminal(int(f.Fd())) {
		return t
	}
	t.Width, t.Height, _ = term.GetSize(int(f.Fd()))
	t.Live = env("TERM") != "dumb" && env("TERM") != "" && t.Width > 0
	t.colours = t.Live && env("NO_COLOR") == ""
	return t
}

// locale returns the locale of characters (POSIX, "Environment Variables").
func locale(env func(string) string) string {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := env(name); v != "" {
			return v
		}
	}
	return ""
}

// Colour is how a text looks, as the number of ANSI's (ECMA-48, SGR).
type Colour string

// The colours, each with one meaning.
const (
	Done   Colour = "32"   // green: it is done
	Moving Colour = "36"   // cyan: it goes on
	Waits  Colour = "33"   // yellow: it waits
	Wrong  Colour = "1;31" // red and bold: a person must look
	Quiet  Colour = "2"    // faint: beside the matter
	Strong Colour = "1"
)

// Paint returns a text, by [Text], in a colour, where the terminal shows any.
func (t Terminal) Paint(c Colour, text string) string {
	if text = Text(text); !t.colours || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

// Block is some lines at the end of the output that are written anew in their place.
type Block struct {
	t     Terminal
	lines int
}

// Block returns an empty block.
func (t Terminal) Block() *Block { return &Block{t: t} }

// Show writes the block's lines in the place of those before. What doesn't fit the
// terminal's height MUST be left out by the caller: a line that has left the screen can't
// be written anew.
func (b *Block) Show(lines []string) error {
	var out strings.Builder
	if b.lines > 0 {
		out.WriteString("\x1b[" + strconv.Itoa(b.lines) + "A")
	}
	for _, line := range lines {
		out.WriteString("\x1b[2K" + line + "\n")
	}
	if len(lines) < b.lines {
		out.WriteString("\x1b[0J")
	}
	b.lines = len(lines)
	_, err := io.WriteString(b.t, out.String())
	return err
}
