package sqlsystem

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
	"habeas.dev/pkg/worker"
)

// codeMentions is the code of records that mention the person in free text, and stay.
const codeMentions = "mentions-left"

// leastMention is how many characters an identifier has that is looked for in texts: a
// short number is in half of them.
const leastMention = 6

// mentions makes the comparisons with columns of free text.
func (c *compiler) mentions(ctx context.Context, path string, d *dataset) error {
	if len(d.SQL.Mentions) == 0 {
		return nil
	}
	where, err := c.where(ctx, path, d.SQL.Table, "t", d.SQL.Where)
	if err != nil {
		return err
	}
	l := &lookup{number: len(d.lookups), where: where}
	for _, t := range slices.Sorted(maps.Keys(d.SQL.Mentions)) {
		for i, name := range d.SQL.Mentions[t] {
			at := fmt.Sprintf("%s.mentions.%s[%d]", path, t, i)
			col, err := c.find(ctx, at, d.SQL.Table, name)
			if err != nil {
				return err
			}
			d.mentions = append(d.mentions, subject{match: match{t, asMention}, lookup: l, expr: "lower(" + c.dialect.text("t."+c.dialect.quote(name)) + ")", path: at, table: d.SQL.Table, column: col.name})
		}
	}
	return nil
}

// mentioned returns what a text has in it that mentions an identifier, in lower case.
func (s *System) mentioned(t dsar.IdentifierType, value string) []string {
	var out []string
	for _, form := range append(s.identifiers.Forms(t, value), identifier.Plain(t, value), value) {
		if form = strings.ToLower(form); utf8.RuneCountInString(form) >= leastMention && !slices.Contains(out, form) {
			out = append(out, form)
		}
	}
	return out
}

// mentionedIn returns whom a text mentions: by a word, not by a part of one.
func (w *wanted) mentionedIn(text string) []hit {
	var out []hit
	for _, value := range w.values {
		for rest := text; ; {
			at := strings.Index(rest, value)
			if at < 0 {
				break
			}
			before, _ := utf8.DecodeLastRuneInString(rest[:at])
			behind := rest[at+len(value):]
			// A sentence's end is none of it: ann@example.com. and not ann@example.com.au.
			after, _ := utf8.DecodeRuneInString(strings.TrimLeft(behind, "."))
			ends := strings.HasPrefix(behind, ".") && !unicode.IsLetter(after) && !unicode.IsDigit(after)
			if !partOfWord(before) && (ends || !partOfWord(after)) {
				out = append(out, w.hits[value]...)
				break
			}
			rest = behind
		}
	}
	return out
}

// partOfWord reports whether an identifier may go on with a character.
func partOfWord(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("@._+-", r))
}

// mentioned says how many rows mention a job's person that aren't theirs: an erasure
// leaves them, and a person sees to what they say.
func (p *planning) mentioned(ctx context.Context, c *chunk) error {
	asked := c.asked(p.d.mentions)
	if len(asked) == 0 {
		return nil
	}
	all := append(slices.Clone(asked), c.asked(p.d.subjects)...)
	count := map[int]int{}
	err := p.reach.search(ctx, p.reach.db, p.d, c, &search{asked: all}, func(_ []any, owners []hit) error {
		for _, o := range owners {
			if o.ways == 1<<p.d.mentions[0].number {
				count[o.job]++
			}
		}
		return nil
	})
	for _, job := range slices.Sorted(maps.Keys(count)) {
		p.jobs[job].Plan.Mentions(p.d.Name, int64(count[job]))
		p.jobs[job].Note(worker.Note{Text: fmt.Sprintf("%d records of %s mention the person in free text, and are left: look at what they say", count[job], p.d.Name), Cause: dsar.Cause{Code: codeMentions, Dataset: p.d.Name}})
	}
	return err
}
