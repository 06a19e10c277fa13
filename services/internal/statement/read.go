package statement

import (
	"encoding/json"
	"fmt"
	"slices"
)

// Answer is an answer.json or certificate.json as somebody else reads it: a [Document]
// whose statements are plain values.
type Answer struct {
	Format     string     `json:"format"`
	Request    Request    `json:"request"`
	Controller Controller `json:"controller"`
	Language   string     `json:"language"`
	Systems    []System   `json:"systems"`
	Statements []Said     `json:"statements"`
}

// Read reads an answer.json or certificate.json.
func Read(data []byte) (Answer, error) {
	var a Answer
	if err := json.Unmarshal(data, &a); err != nil {
		return a, fmt.Errorf("statement: read an answer: %w", err)
	}
	if a.Format != Format {
		return a, fmt.Errorf("statement: read an answer: its format is %q, not %q", a.Format, Format)
	}
	return a, nil
}

// About returns the statements of one of the kinds about a place, in order; an empty
// dataset stands for statements about the system, and an empty system for those about the
// request. No kinds stand for all.
func (a *Answer) About(system, dataset string, kinds ...Kind) []Said {
	var out []Said
	for _, s := range a.Statements {
		if s.System == system && s.Dataset == dataset && (len(kinds) == 0 || slices.Contains(kinds, s.Kind)) {
			out = append(out, s)
		}
	}
	return out
}

// Records returns how many records statements of these kinds tell of about a place.
func (a *Answer) Records(system, dataset string, kinds ...Kind) (n int64) {
	for _, s := range a.About(system, dataset, kinds...) {
		n += s.Records
	}
	return n
}

// AnswerOf returns how a system answered; empty where it isn't said.
func (a *Answer) AnswerOf(system string) Kind {
	for _, s := range a.About(system, "") {
		if s.Kind.Answers() {
			return s.Kind
		}
	}
	return ""
}
