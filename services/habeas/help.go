package main

import (
	"bytes"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"habeas.dev/services/internal/terminal"
)

// helpWidth is how wide help is where nobody knows how wide the screen is.
const helpWidth = 80

// printHelp prints a command's help. Kong wraps its sentences; the lines that it leaves as they
// are, how a command is called and its examples, are wrapped here ([fitted]).
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	out := ctx.Stdout
	defer func() { ctx.Stdout = out }()
	page := &sized{file: out}
	ctx.Stdout = page
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil {
		return err
	}
	_, err := terminal.Printf(out, "%s\n", terminal.Written(strings.Join(fitted(strings.Split(strings.TrimRight(page.String(), "\n"), "\n"), widthOf(out)), "\n")))
	return err
}

// sized is a page that is as wide as the file that it will be written to.
type sized struct {
	bytes.Buffer
	file io.Writer
}

// Fd returns the file's descriptor, by which kong asks for its width.
func (s *sized) Fd() uintptr {
	if f, ok := s.file.(*os.File); ok {
		return f.Fd()
	}
	return ^uintptr(0)
}

// widthOf returns how wide a page is: what COLUMNS says, as kong has it, or the screen.
func widthOf(w io.Writer) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if f, ok := w.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil && n > 0 {
			return n
		}
	}
	return helpWidth
}

// fitted returns lines that are no longer than width, as far as their words let them. What is
// explained beside something, behind two blanks or more, stays beside it where there is room, and
// below it otherwise; the rest of a call stands below it behind a backslash, as shells read it.
func fitted(lines []string, width int) []string {
	var out []string
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		left, right, column := beside(line)
		if right != "" {
			for i+1 < len(lines) && indentOf(lines[i+1]) == column && strings.TrimSpace(lines[i+1]) != "" {
				i++ // it goes on
				right += " " + strings.TrimSpace(lines[i])
			}
		}
		whole := utf8.RuneCountInString(line) <= width
		switch indent := indentOf(line); {
		case right == "" && whole:
			out = append(out, line)
		case right == "" && isCall(line):
			out = append(out, folded(strings.TrimSpace(line), width, indent, indent+4, ` \`)...)
		case right == "":
			out = append(out, folded(strings.TrimSpace(line), width, indent, indent+2, "")...)
		case column+leastBeside <= width:
			text := folded(right, width, column, column, "")
			text[0] = left + text[0][utf8.RuneCountInString(left):]
			out = append(out, text...)
		default:
			out = append(out, fitted([]string{strings.TrimRight(left, " ")}, width)...)
			out = append(out, folded(right, width, indent+4, indent+4, "")...)
		}
	}
	return out
}

// leastBeside is how much room an explanation needs to stand beside what it explains.
const leastBeside = 24

// isCall reports whether a line is what somebody types: it names the program, and isn't how kong
// says what a command takes.
func isCall(line string) bool {
	return strings.Contains(line, "habeas ") && !strings.HasPrefix(line, "Usage: ")
}

// indentOf returns with how many blanks a line begins.
func indentOf(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// beside takes a line apart into what is explained, with its blanks, and what explains it, which
// begins at a column; a line that is neither has no right side.
func beside(line string) (left, right string, column int) {
	quote := rune(0)
	started, blanks := false, 0
	for i, r := range line {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
			blanks = 0
		case r == ' ':
			blanks++
			continue
		case started && blanks > 1:
			return line[:i], line[i:], utf8.RuneCountInString(line[:i])
		case (r == '"' || r == '\'') && (i == 0 || line[i-1] == ' '):
			quote = r
			fallthrough
		default:
			started, blanks = true, 0
		}
	}
	return line, "", 0
}

// folded breaks a text at its blanks, those in quotation marks aside, into lines that are
// indented by first and then, and end in more where the text goes on.
func folded(text string, width, first, then int, more string) []string {
	var out []string
	line, indent := "", first
	words := unquotedWords(text)
	for i := 0; i < len(words); i++ {
		w := words[i]
		if more != "" && strings.HasPrefix(w, "-") && !strings.Contains(w, "=") && i+1 < len(words) && !strings.HasPrefix(words[i+1], "-") {
			i++ // a flag stays beside its value
			w += " " + words[i]
		}
		switch {
		case line == "":
			line = w
		case indent+utf8.RuneCountInString(line)+1+utf8.RuneCountInString(w)+len(more) > width:
			out = append(out, strings.Repeat(" ", indent)+line+more)
			line, indent = w, then
		default:
			line += " " + w
		}
	}
	return append(out, strings.Repeat(" ", indent)+line)
}

// unquotedWords returns the words of a text; what is in quotation marks is of one word.
func unquotedWords(text string) []string {
	var out []string
	quote := rune(0)
	from := 0
	for i, r := range text {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
		case (r == '"' || r == '\'') && (i == from || text[i-1] == '=' || text[i-1] == '('):
			quote = r
		case r == ' ':
			if i > from {
				out = append(out, text[from:i])
			}
			from = i + 1
		}
	}
	if from < len(text) {
		out = append(out, text[from:])
	}
	return out
}
