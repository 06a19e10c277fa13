// Package findings tells what a check has found, in the forms that people and their tools
// read: lines of text, JSON, SARIF 2.1.0, and the commands of GitHub's workflows.
package findings

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Level is how much a finding counts.
type Level string

// The levels: a failure fails the check, a warning where it is asked to be strict, a note
// never.
const (
	Failure Level = "failure"
	Warning Level = "warning"
	Note    Level = "note"
)

// Finding is one thing that was found.
type Finding struct {
	Level Level `json:"level"`
	// Rule names the kind of finding, by which a tool tells them apart: lower-case words with
	// hyphens.
	Rule string `json:"rule"`
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"` // from 1; 0 where it isn't known
	What string `json:"what"`
	Cure string `json:"cure,omitempty"`
}

// At returns a finding at a place as file:line, or at one that is no file.
func At(level Level, rule, where, what, cure string) Finding {
	f := Finding{Level: level, Rule: rule, File: where, What: what, Cure: cure}
	if i := strings.LastIndexByte(where, ':'); i >= 0 {
		if line, err := strconv.Atoi(where[i+1:]); err == nil {
			f.File, f.Line = where[:i], line
		}
	}
	return f
}

// String returns the finding in one line: file:line: what; cure.
func (f Finding) String() string {
	var b strings.Builder
	if f.File != "" {
		b.WriteString(f.File)
		if f.Line > 0 {
			b.WriteString(":" + strconv.Itoa(f.Line))
		}
		b.WriteString(": ")
	}
	b.WriteString(f.message())
	return b.String()
}

func (f Finding) message() string {
	if f.Cure == "" {
		return f.What
	}
	return f.What + "; " + f.Cure
}

// Formats lists the names of the forms.
func Formats() []string { return []string{"text", "json", "sarif", "github"} }

// Report is what a check has found in so many manifests.
type Report struct {
	Manifests int
	Findings  []Finding
}

// Count returns how many findings of a level there are.
func (r *Report) Count(level Level) int {
	n := 0
	for _, f := range r.Findings {
		if f.Level == level {
			n++
		}
	}
	return n
}

// sorted returns the findings, failures first, as they were found.
func (r *Report) sorted() []Finding {
	order := []Level{Failure, Warning, Note}
	out := slices.Clone(r.Findings)
	slices.SortStableFunc(out, func(a, b Finding) int { return slices.Index(order, a.Level) - slices.Index(order, b.Level) })
	return out
}

// Write writes the report in one of [Formats].
func (r *Report) Write(w io.Writer, format string) error {
	switch format {
	case "json":
		return r.json(w)
	case "sarif":
		return r.sarif(w)
	case "github":
		return r.github(w)
	default:
		return r.text(w)
	}
}

func (r *Report) text(w io.Writer) error {
	words := map[Level]string{Failure: "fail", Warning: "warn", Note: "note"}
	for _, f := range r.sorted() {
		if _, err := fmt.Fprintln(w, words[f.Level], f); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w, r.sum())
	return err
}

func (r *Report) sum() string {
	return fmt.Sprintf("%d manifests: %d failures, %d warnings", r.Manifests, r.Count(Failure), r.Count(Warning))
}

func (r *Report) json(w io.Writer) error {
	findings := r.sorted()
	for i := range findings {
		findings[i].File = local(findings[i].File)
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(struct {
		Manifests int       `json:"manifests"`
		Failures  int       `json:"failures"`
		Warnings  int       `json:"warnings"`
		Findings  []Finding `json:"findings"`
	}{r.Manifests, r.Count(Failure), r.Count(Warning), append([]Finding{}, findings...)})
}

// github writes the commands by which a workflow's run marks lines of a change.
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
func (r *Report) github(w io.Writer) error {
	commands := map[Level]string{Failure: "error", Warning: "warning", Note: "notice"}
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	for _, f := range r.sorted() {
		at := ""
		if f.File != "" {
			at = "file=" + property.Replace(filepath.ToSlash(local(f.File))) + ","
			if f.Line > 0 {
				at += "line=" + strconv.Itoa(f.Line) + ","
			}
		}
		if _, err := fmt.Fprintf(w, "::%s %stitle=%s::%s\n", commands[f.Level], at, property.Replace("habeas lint: "+f.Rule), data.Replace(f.message())); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w, r.sum())
	return err
}

// local returns a file's name from the working directory on, where it lies below that:
// tools know files by their place in the repository.
func local(file string) string {
	dir, err := os.Getwd()
	if err != nil || !filepath.IsAbs(file) {
		return file
	}
	if rel, err := filepath.Rel(dir, file); err == nil && filepath.IsLocal(rel) {
		return rel
	}
	return file
}
