package soql

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits of the language (SOQL and SOSL Reference, "SOQL Limits").
const (
	MaxQuery     = 100_000 // characters of a query
	MaxString    = 4_000   // characters of a string in WHERE
	MaxRelations = 5       // relationships in a path
	MaxOffset    = 2_000
)

// maxDepth bounds the nesting of parentheses: a hostile query must not exhaust
// the stack.
const maxDepth = 64

// Error says where a query stopped being SOQL.
type Error struct {
	// Pos is the byte offset.
	Pos int
	// Line and Column count from 1.
	Line, Column int
	Message      string
}

// Error returns the message in the form of Salesforce's own.
func (e *Error) Error() string {
	return fmt.Sprintf("%s (row:%d column:%d)", e.Message, e.Line, e.Column)
}

type tokenKind uint8

const (
	tokEnd tokenKind = iota
	tokName
	tokString
	tokNumber
	tokTime  // a date or an instant
	tokPunct // ( ) , . = != <> < > <= >=
)

func (k tokenKind) String() string {
	return [...]string{"the end", "a name", "a string", "a number", "a date", "punctuation"}[k]
}

type token struct {
	kind tokenKind
	// text is the token as it was written; of a string, its escaped content
	// between the quotes.
	text string
	pos  int
}

type lexer struct {
	src string
	at  int
}

func (l *lexer) fail(pos int, format string, args ...any) *Error {
	before := l.src[:min(pos, len(l.src))]
	line := 1 + strings.Count(before, "\n")
	column := pos - strings.LastIndexByte(before, '\n')
	return &Error{Pos: pos, Line: line, Column: column, Message: fmt.Sprintf(format, args...)}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isName(c byte) bool {
	return c == '_' || isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func (l *lexer) next() (token, *Error) {
	for l.at < len(l.src) && isSpace(l.src[l.at]) {
		l.at++
	}
	start := l.at
	if start == len(l.src) {
		return token{kind: tokEnd, pos: start}, nil
	}
	switch c := l.src[start]; {
	case c == '\'':
		return l.text()
	case isDigit(c), (c == '-' || c == '+') && start+1 < len(l.src) && isDigit(l.src[start+1]):
		return l.number()
	case isName(c) && !isDigit(c):
		for l.at < len(l.src) && isName(l.src[l.at]) {
			l.at++
		}
		return token{kind: tokName, text: l.src[start:l.at], pos: start}, nil
	case strings.IndexByte("(),.=", c) >= 0:
		l.at++
	case c == '!' || c == '<' || c == '>':
		l.at++
		if l.at < len(l.src) && (l.src[l.at] == '=' || c == '<' && l.src[l.at] == '>') {
			l.at++
		} else if c == '!' {
			return token{}, l.fail(start, "unexpected token: '!'")
		}
	default:
		r, _ := utf8.DecodeRuneInString(l.src[start:])
		return token{}, l.fail(start, "line %d, unexpected char: %q", 1+strings.Count(l.src[:start], "\n"), r)
	}
	return token{kind: tokPunct, text: l.src[start:l.at], pos: start}, nil
}

// text reads a string literal up to its closing quote and checks its escapes.
// Its content stays escaped: LIKE treats \% and \_ otherwise than the rest.
func (l *lexer) text() (token, *Error) {
	start := l.at
	for i := start + 1; i < len(l.src); i++ {
		switch c := l.src[i]; c {
		case '\'':
			l.at = i + 1
			return token{kind: tokString, text: l.src[start+1 : i], pos: start}, nil
		case '\\':
			i++
			if i == len(l.src) || strings.IndexByte(`\'"_%nNrRtTbBfF`, l.src[i]) < 0 {
				return token{}, l.fail(i-1, "Illegal string literal: invalid escape sequence")
			}
		case '\n', '\r':
			return token{}, l.fail(i, "Line breaks not allowed in string literals")
		}
	}
	return token{}, l.fail(start, "unexpected end of a string literal")
}

// number reads a number, a date or an instant.
func (l *lexer) number() (token, *Error) {
	start := l.at
	l.at++
	for l.at < len(l.src) && (isDigit(l.src[l.at]) || strings.IndexByte("-:+.TZtzeE", l.src[l.at]) >= 0) {
		l.at++
	}
	text := l.src[start:l.at]
	kind := tokNumber
	if len(text) >= 10 && text[4] == '-' && text[7] == '-' {
		kind = tokTime
	}
	return token{kind: kind, text: text, pos: start}, nil
}

// unescape returns the content of a string literal. With like, escapes of
// backslash, % and _ are kept for the matcher.
func unescape(s string, like bool) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c != '\\' {
			b.WriteByte(c)
			continue
		}
		i++
		switch c = s[i]; c {
		case 'n', 'N':
			b.WriteByte('\n')
		case 'r', 'R':
			b.WriteByte('\r')
		case 't', 'T':
			b.WriteByte('\t')
		case 'b', 'B':
			b.WriteByte('\b')
		case 'f', 'F':
			b.WriteByte('\f')
		case '%', '_', '\\':
			if like {
				b.WriteByte('\\')
			}
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
