package aggregator

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"filippo.io/age"
	"gocloud.dev/blob"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/outbox"
	"habeas.dev/services/internal/statement"
)

// addendum is what was found when an answered erasure was proven anew: it goes beside the
// certificate, which stays as it was issued.
type addendum struct {
	Format    string    `json:"format"` // "habeas-addendum/1"
	RequestID string    `json:"request_id"`
	Number    int       `json:"number"` // of the request's addenda, from 1
	Language  string    `json:"language"`
	AskedAt   time.Time `json:"asked_at"`
	// Text is what the person is told, a paragraph each, rendered from the statements.
	Text       []string              `json:"text,omitempty"`
	Statements []statement.Statement `json:"statements"`
	Systems    []addendumSystem      `json:"systems"`
}

// addendumSystem is how one system answered. A system of which nothing was planned isn't
// asked, and not among them.
type addendumSystem struct {
	System  string       `json:"system"`
	Title   string       `json:"title"`
	Outcome dsar.Outcome `json:"outcome"` // proven: nothing is left but what must stay; or incomplete
	AskedAt time.Time    `json:"asked_at"`
	ByHand  bool         `json:"by_hand,omitempty"` // a person says so, and no worker
	// CameBack is what had come back, and StillThere what of it was left, in records.
	CameBack   []addendumDataset `json:"came_back,omitempty"`
	StillThere []addendumDataset `json:"still_there,omitempty"`
}

type addendumDataset struct {
	Dataset string `json:"dataset"`
	Title   string `json:"title"`
	Records int64  `json:"records"`
}

// addendum writes the addendum of a task into the outbox, signed as the bundle was. The same
// task twice gives the same.
func (a *Aggregator) addendum(ctx context.Context, t core.AssembleTask, job *worker.AssembleJob) (dsar.Object, error) {
	keys, err := job.Keys()
	if err != nil {
		return dsar.Object{}, err
	}
	told, err := a.tell(t)
	if err != nil {
		return dsar.Object{}, err
	}
	text, err := json.MarshalIndent(told, "", "  ")
	if err != nil {
		return dsar.Object{}, fmt.Errorf("aggregator: addendum: %w", err)
	}
	text = append(text, '\n')
	if a.cfg.Signer != nil {
		if text, err = bundle.SignedAddendum(a.cfg.Signer, t.RequestID, told.Number, text); err != nil {
			return dsar.Object{}, err
		}
	}
	name := outbox.AddendumName(t.RequestID, told.Number)
	err = a.leave(ctx, name, func(out io.Writer) error {
		w, err := age.Encrypt(out, bundleKey{keys})
		if err != nil {
			return err
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
		return w.Close()
	})
	sum := sha256.Sum256(text)
	return dsar.Object{Name: name, Bytes: int64(len(text)), SHA256: hex.EncodeToString(sum[:])}, err
}

// tell words what systems answered.
func (a *Aggregator) tell(t core.AssembleTask) (addendum, error) {
	again := t.Answer.Again
	lang := a.cfg.Language(t.Jurisdiction, t.Locale)
	out := addendum{Format: bundle.AddendumFormat, RequestID: t.RequestID, Number: again.Number, Language: lang.Tag, AskedAt: again.AskedAt.UTC(), Systems: []addendumSystem{}}
	request := statement.Request{ID: t.RequestID, Right: t.Right, Asked: t.Answer.Asked, Jurisdiction: t.Jurisdiction, ReceivedAt: t.ReceivedAt.UTC()}
	controller := a.cfg.Policy(t.Jurisdiction, lang, t.Right, t.ReceivedAt, again.AskedAt)
	d := statement.Document{Format: statement.Format, Request: request, Controller: controller, Language: lang.Tag}
	d.Statements = statement.Worded(statement.Make(statement.Evidence{Request: request, Told: *t.Answer}), func(s statement.Said) string { return lang.Answer.Say(&d, s) })
	out.Statements = d.Statements
	if a.cfg.Letter != nil {
		l, err := a.cfg.Letter(&d)
		if err != nil {
			return out, err
		}
		out.Text = l.Paragraphs
	}
	for _, s := range again.Systems {
		m := a.manifests[s.System]
		if m == nil {
			return out, &unknownSystemError{s.System}
		}
		in := func(counts []dsar.Counts) []addendumDataset {
			var all []addendumDataset
			for _, c := range counts {
				n := c.Found - c.Kept()
				if n <= 0 {
					continue
				}
				one := addendumDataset{Dataset: c.Dataset, Title: c.Dataset, Records: n}
				if d := m.Dataset(c.Dataset); d != nil && lang.Text(d.Title) != "" {
					one.Title = lang.Text(d.Title)
				}
				all = append(all, one)
			}
			return all
		}
		title := lang.Text(m.Title)
		if title == "" {
			title = s.System
		}
		out.Systems = append(out.Systems, addendumSystem{System: s.System, Title: title, Outcome: s.Outcome, AskedAt: s.At.UTC(), ByHand: s.ByHand, CameBack: in(s.Back), StillThere: in(s.Left)})
	}
	return out, nil
}

// OpenAddendum opens one of a request's addenda, and holds it to what the journal says of
// it, as [OpenAnswer] does.
func OpenAddendum(ctx context.Context, v *vault.Vault, box *blob.Bucket, requestID string, journalled dsar.Object) (io.ReadCloser, error) {
	r, err := open(ctx, v, box, requestID, journalled.Name)
	if err != nil {
		return nil, err
	}
	return &held{ReadCloser: r, want: journalled, sum: sha256.New()}, nil
}
