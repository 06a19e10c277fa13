package bundle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"slices"

	"habeas.dev/pkg/record"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/internal/statement"
)

// ErrFormer says that what fields held before they were corrected can't be read. No correction is
// made twice, so that it can't be noted again.
var ErrFormer = telemetry.Constant("bundle: what stood in corrected fields can't be read")

// allFormer reads all that a system's fields held before they were corrected; what a person has
// the answer made without may be gone.
func (b *build) allFormer(ctx context.Context, part *systemPart) error {
	for _, src := range part.Former {
		err := b.former(ctx, part, src)
		switch {
		case err == nil:
		case part.Unread != nil && part.Unread(err):
			part.corrections, part.unread = nil, true
			return nil
		default:
			return b.blame(ctx, part, fmt.Errorf("%w: %w", ErrFormer, err))
		}
	}
	return nil
}

// former reads what fields held before they were corrected.
func (b *build) former(ctx context.Context, part *systemPart, src Source) error {
	return b.eachSection(ctx, src, func(rd *record.Reader, sec record.Section) error {
		ds, err := part.declared(sec.Dataset)
		if err != nil {
			return err
		}
		if !slices.Equal(sec.Columns, []string{worker.FormerColumn, worker.FormerWas, worker.FormerIs, worker.FormerRecords}) {
			return fmt.Errorf("dataset %q: what was corrected isn't as workers tell it", sec.Dataset)
		}
		for {
			row, err := rd.Row()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			c, err := newColumn(ds, record.Text(row[0]), b.words)
			if err != nil {
				return err
			}
			if part.corrections == nil {
				part.corrections = map[string][]statement.Correction{}
			}
			part.corrections[ds.Name] = b.correction(part.corrections[ds.Name], &c, row[1], row[2])
		}
	})
}

// correction adds a value that a column held, and what it was corrected to.
func (b *build) correction(all []statement.Correction, c *column, was, is json.RawMessage) []statement.Correction {
	at := slices.IndexFunc(all, func(k statement.Correction) bool { return k.Column.Column == c.name })
	if at < 0 {
		at = len(all)
		all = append(all, statement.Correction{Column: statement.Column{Column: c.name, Title: c.title}, Was: []string{}, Is: c.told(is), IsShown: b.shown(is, c)})
	}
	k := &all[at]
	if plainText(was) == plainText(is) || c.secret == "" && b.shown(was, c) == k.IsShown {
		return all // it was so already
	}
	k.Was, k.WasShown = append(k.Was, c.told(was)), append(k.WasShown, b.shown(was, c))
	return all
}

// told returns a value as answer.json has it: masked where it is never shown.
func (c *column) told(raw json.RawMessage) string {
	if c.secret != "" {
		raw = c.mask(raw)
	}
	return plainText(raw)
}

// plainText returns a value as a text; empty where nothing is held.
func plainText(raw json.RawMessage) string {
	if missing(raw) {
		return ""
	}
	if raw[0] == '"' {
		return record.Text(raw)
	}
	return string(raw)
}

// shown returns a value as people read it; empty where there is none.
func (b *build) shown(raw json.RawMessage, c *column) string {
	if missing(raw) {
		return ""
	}
	p := preview{w: b.words}
	return html.UnescapeString(string(p.value(nil, raw, c)))
}
