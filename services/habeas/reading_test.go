package main

import (
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/outbox"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/sandbox/people"
)

// readIn is the folder into which TestReading writes letters and answers, to be read: make
// reading.
const readIn = "HABEAS_READING"

// TestReading submits every right of every law, in English and in French, through the whole,
// and reads each letter and each page: no word of the other language, no date, number or name
// that only a program reads, no straight apostrophe, no file that isn't there. With
// HABEAS_READING=FOLDER it writes them there, for somebody to read.
func TestReading(t *testing.T) {
	t.Parallel()
	d := &desk{newPipelineOf(t, 900, os.Getenv(readIn) == "", func(c *config.Config) {
		c.Controller, c.Controllers, c.Declarations = "Example Cloud SAS", demoControllers(), demoDeclarations(now())
	}), nil}
	book, err := policy.Load()
	if err != nil {
		t.Fatal(err)
	}
	d.book = book
	who := 0 // each asks once: an erasure takes the copies of its person's other answers with it
	for _, law := range d.book.IDs() {
		j, _ := d.book.Jurisdiction(law)
		var asked []reading
		for _, lang := range []string{"en", "fr"} {
			for _, right := range j.Granted(now()) {
				g, _ := j.Grant(right, now())
				who = d.account(who + 1)
				asked = append(asked, d.reads(who, law, lang, right, g.AboutEarlier()))
			}
		}
		for _, r := range asked {
			d.read1(r)
		}
	}
}

// reading is one request whose letters and answer are read.
type reading struct {
	law, lang string
	right     dsar.Right
	id        string
	who       int
}

// reads submits a request.
func (d *desk) reads(who int, law, lang string, right dsar.Right, aboutEarlier bool) reading {
	d.Helper()
	r := reading{law: law, lang: lang, right: right, who: who}
	earlier := ""
	if aboutEarlier {
		earlier = d.ask(who, dsar.Rectification, law, lang, func(s *event.Submitted) {
			s.Subject.OnBehalf, s.Details = dsar.CheckGuardian, corrections(event.Correction{Column: "person.family_name", Value: "Ó Briain"})
		})
		d.do(earlier, core.Refuse{By: "lea", Ground: core.NotProven, Reason: "nothing came", Now: now()})
	}
	r.id = d.ask(who, right, law, lang, func(s *event.Submitted) {
		s.About = earlier
		switch {
		case right == dsar.Rectification:
			s.Details = corrections(event.Correction{Column: "person.family_name", Value: "Ó Briain"}, event.Correction{Column: "contact.phone", Value: "+33612345678"})
		case right.Decided():
			s.Details = &event.Details{Message: "Please look at this again."}
		}
	})
	return r
}

func corrections(all ...event.Correction) *event.Details { return &event.Details{Corrections: all} }

// read1 has a request end, and reads what the person gets.
func (d *desk) read1(r reading) {
	d.Helper()
	texts := map[string]string{}
	letters := []core.Letter{core.LetterConfirmation, core.LetterAnswer}
	switch {
	case r.right.Decided():
		reason := map[string]string{"en": "the proof was complete", "fr": "le justificatif était complet"}[r.lang]
		s, err := d.n.Installation.Requests.State(d.Context(), r.id)
		if err != nil {
			d.Fatal(err)
		}
		if s.Awaited != "" {
			d.do(r.id, core.JudgeProof{By: "lea", Accepted: true, Reason: "a passport", Calendar: d.book, Now: now()})
		}
		d.do(r.id, core.DecideGrievance{By: "ana", Finding: core.PartlyUpheld, Reason: reason, Now: now()})
		letters = []core.Letter{core.LetterConfirmation, core.LetterDecision}
		if s.Accepted.About != nil {
			letters[0] = core.LetterAcknowledgement
		}
	default:
		d.endByHand(r.id, map[bool]dsar.Outcome{true: dsar.Rectified, false: dsar.Restricted}[r.right == dsar.Rectification])
		for name, data := range payload(d.T, d.n, r.id) {
			if strings.HasSuffix(name, "index.html") || strings.Contains(name, "READ ME") {
				texts[filepath.Base(name)] = string(data)
			}
		}
		if r.right == dsar.Erasure {
			letters[1] = core.LetterCertificate
		}
	}
	d.letters(r.id, letters...)
	s, err := d.n.Installation.Requests.State(d.Context(), r.id)
	if err != nil {
		d.Fatal(err)
	}
	for _, l := range s.Letters { // by their names: what is being written beside them is no letter
		texts[string(l.Letter)+".txt"] = string(d.read(outbox.LetterName(r.id, l.Cause, l.Letter, l.Language)))
	}
	where := fmt.Sprintf("%s, %s, %s", r.law, r.right, r.lang)
	for name, text := range texts {
		dir := os.Getenv(readIn)
		if dir != "" {
			d.keep(filepath.Join(dir, r.law, string(r.right)+"."+r.lang), name, text)
			continue // people's own words are everywhere
		}
		for _, wrong := range unreadable(r.lang, plain(name, text), d.words(r.who)) {
			d.Errorf("%s: %s: %s", where, name, wrong)
		}
	}
}

func (d *desk) keep(dir, name, text string) {
	d.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		d.Fatal(err)
	}
	for file, content := range map[string]string{name: text, name + ".txt": plain(name, text)} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
			d.Fatal(err)
		}
	}
}

var (
	unread = regexp.MustCompile(`(?s)<style.*?</style>|<script.*?</script>|<!--.*?-->|<template.*?</template>|<head>.*?</head>`)
	tag    = regexp.MustCompile(`<[^>]*>`)
	blanks = regexp.MustCompile(`[ \t]*\n\s*`)
)

// plain returns what a person reads of a page; a letter as it is.
func plain(name, text string) string {
	if strings.HasSuffix(name, ".html") {
		text = unread.ReplaceAllString(text, "\n")
		text = html.UnescapeString(tag.ReplaceAllString(text, "\n"))
	}
	return blanks.ReplaceAllString(text, "\n")
}

// What nobody should have to read, by what it is.
var (
	programmers = map[string]*regexp.Regexp{
		"a date as programs write it":   regexp.MustCompile(`\b(19|20)\d\d-[01]\d-[0-3]\d(T|\b)`),
		"a name as databases have it":   regexp.MustCompile(`\b[a-z]+_[a-z_]+[a-z]\b`),
		"a straight apostrophe":         regexp.MustCompile(`\pL'\pL`),
		"a period as programs write it": regexp.MustCompile(`\bP\d+[YMD]\b`),
		"two marks":                     regexp.MustCompile(`\.\.(\s|$)|;;|,,`),
	}
	key     = regexp.MustCompile(`^[a-z]{2,3}_[a-z0-9]+$`) // a number that a record has
	english = regexp.MustCompile(`(?i)\b(the|your|you|and|with|from|we|our|this|that|what|request|until|erased|kept|records|none|by hand|legal|law)\b`)
)

// words are the texts that a person's records hold.
func (d *desk) words(who int) map[string]bool {
	out := map[string]bool{}
	for _, r := range d.people.RowsOf(who) {
		for _, v := range r.Values {
			if s, ok := v.(string); ok {
				out[s] = true
			}
		}
	}
	return out
}

// unreadable returns what a text has that a person shouldn't read. What records hold is as
// it was written.
func unreadable(lang, text string, held map[string]bool) (wrong []string) {
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); held[line] || strings.Contains(line, people.CanaryPrefix) || key.MatchString(line) {
			continue
		}
		for what, form := range programmers {
			if found := form.FindString(line); found != "" {
				wrong = append(wrong, fmt.Sprintf("%s, %q, in %q", what, found, line))
			}
		}
		if lang == "fr" {
			if found := english.FindString(line); found != "" {
				wrong = append(wrong, fmt.Sprintf("English, %q, in %q", found, line))
			}
		}
	}
	return wrong
}
