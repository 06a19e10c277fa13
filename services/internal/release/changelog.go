package main

import (
	"errors"
	"fmt"
	"strings"
)

// unreleased is the heading under which the changelog says what comes.
const unreleased = "Unreleased"

// section returns the text under a heading of the changelog: "## Unreleased", or
// "## v0.1.0" and anything behind it.
func section(changelog, title string) (string, bool) {
	var b strings.Builder
	found := false
	for line := range strings.Lines(changelog) {
		if heading, ok := strings.CutPrefix(line, "## "); ok {
			if found {
				break
			}
			first, _, _ := strings.Cut(strings.TrimSpace(heading), " ")
			found = first == title
			continue
		}
		if found {
			b.WriteString(line)
		}
	}
	return b.String(), found
}

// admits reports whether the changelog says that a name has changed: it stands in
// backticks, itself or its type (`vault.Config` for vault.Config.Bucket), or its
// package by import path.
func admits(text string, c change) bool {
	typ, _, _ := strings.Cut(c.Symbol, ".")
	short := strings.TrimSuffix(c.qualified(), c.Symbol) + typ
	for _, said := range []string{c.qualified(), short, c.Package} {
		if strings.Contains(text, "`"+said+"`") {
			return true
		}
	}
	return false
}

// release gives what is unreleased its version and day, and leaves an empty
// section for what comes next.
func release(changelog, version, day string) (string, error) {
	text, ok := section(changelog, unreleased)
	if !ok || strings.TrimSpace(text) == "" {
		return "", fmt.Errorf("CHANGELOG.md says nothing under %q", "## "+unreleased)
	}
	if _, ok := section(changelog, version); ok {
		return "", errors.New("CHANGELOG.md has a section of " + version + " already")
	}
	return strings.Replace(changelog, "## "+unreleased+"\n", "## "+unreleased+"\n\n## "+version+" ("+day+")\n", 1), nil
}
