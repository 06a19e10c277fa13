package aggregator

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"filippo.io/age"
	"gocloud.dev/blob"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/vault"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/outbox"
	"habeas.dev/services/internal/statement"
	"habeas.dev/services/internal/words"
)

// assembleTime bounds one bundle: 5 GB take some minutes.
const assembleTime = time.Hour

// assemble writes the bundle of a task into the outbox, by the keys that its job brings.
// When the task was sent is the same whenever it comes, so that it stands in the bag for
// when it was packed, and the same task twice gives the same ZIP.
func (a *Aggregator) assemble(ctx context.Context, t core.AssembleTask, job *worker.AssembleJob) (dsar.Object, error) {
	ctx, cancel := context.WithTimeout(ctx, assembleTime)
	defer cancel() // before the writer's Close, this also breaks the write off
	keys, err := job.Keys()
	if err != nil {
		return dsar.Object{}, err
	}
	in, err := a.input(keys, t, job)
	if err != nil {
		return dsar.Object{}, err
	}
	name := outbox.AnswerName(t.RequestID)
	var s bundle.Summary
	err = a.leave(ctx, name, func(out io.Writer) (err error) {
		s, err = a.write(ctx, out, keys, t.Answer.Recipient, in)
		return err
	})
	return dsar.Object{Name: name, Bytes: s.Bytes, Records: s.Records, SHA256: s.SHA256}, err
}

// leave writes an object into the outbox, as a whole or not at all.
func (a *Aggregator) leave(ctx context.Context, name string, write func(io.Writer) error) (err error) {
	defer func() { a.refused(err) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	a.opening.Lock() // files made in one folder at the same time have the kernel spin
	out, err := a.cfg.Outbox.NewWriter(ctx, name, &blob.WriterOptions{ContentType: "application/age-encryption"})
	a.opening.Unlock()
	if err != nil {
		return &outboxError{err}
	}
	if err := write(out); err != nil {
		cancel() // Close would commit otherwise
		_ = out.Close()
		return err
	}
	if err := out.Close(); err != nil {
		return &outboxError{err}
	}
	return nil
}

// write puts the encrypted ZIP into out. Who asked opens it too, where they have named a
// recipient.
func (a *Aggregator) write(ctx context.Context, out io.Writer, keys *vault.Keys, recipient string, in bundle.Input) (bundle.Summary, error) {
	recipients := []age.Recipient{bundleKey{keys}}
	if recipient != "" {
		r, err := age.ParseX25519Recipient(recipient)
		if err != nil {
			return bundle.Summary{}, &identifierError{errors.New("the recipient isn't one of age's")}
		}
		recipients = append(recipients, r)
	}
	w, err := age.Encrypt(outboxWriter{out}, recipients...)
	if err != nil {
		return bundle.Summary{}, err
	}
	s, err := a.bundles.Write(ctx, w, in)
	if err != nil {
		return s, err
	}
	return s, w.Close()
}

// OpenBundle opens a request's bundle for reading: the ZIP in the clear. What
// was read is the whole ZIP only when io.EOF came.
func OpenBundle(ctx context.Context, v *vault.Vault, box *blob.Bucket, requestID string) (io.ReadCloser, error) {
	return open(ctx, v, box, requestID, outbox.AnswerName(requestID))
}

// open opens what lies in the outbox for a request.
func open(ctx context.Context, v *vault.Vault, box *blob.Bucket, requestID, name string) (io.ReadCloser, error) {
	keys, err := v.Keys(ctx, requestID)
	if err != nil {
		return nil, fmt.Errorf("aggregator: %w", err)
	}
	sealed, err := box.NewReader(ctx, name, nil)
	if err != nil {
		return nil, fmt.Errorf("aggregator: bundle of request %s: %w", requestID, err)
	}
	plain, err := age.Decrypt(sealed, bundleKey{keys})
	if err != nil {
		_ = sealed.Close()
		return nil, fmt.Errorf("aggregator: bundle of request %s: %w", requestID, err)
	}
	return &opened{plain, sealed}, nil
}

type opened struct {
	io.Reader
	io.Closer
}

// input opens the task's answer for the bundle.
func (a *Aggregator) input(keys *vault.Keys, t core.AssembleTask, job *worker.AssembleJob) (bundle.Input, error) {
	lang := a.cfg.Language(t.Jurisdiction, t.Locale)
	in := bundle.Input{
		RequestID: t.RequestID, Right: t.Right, Language: lang, ReceivedAt: t.ReceivedAt, Letter: a.cfg.Letter, Portal: a.cfg.Portal,
		Run: bundle.Run{At: job.Sent, Software: a.cfg.Software, Signer: a.cfg.Signer},
	}
	if in.Run.At.IsZero() {
		in.Run.At = a.cfg.Now()
	}
	controller := a.cfg.Policy(t.Jurisdiction, lang, t.Right, t.ReceivedAt, in.Run.At)
	made := in.Run.At.UTC()
	if controller.Zone != nil {
		made = made.In(controller.Zone)
	}
	in.Folder = bundle.FolderName(controller.Entity, made)
	request := statement.Request{ID: t.RequestID, Right: t.Right, Asked: t.Answer.Asked, RightTerm: statement.RightTerm(t.Right, t.Jurisdiction), Jurisdiction: t.Jurisdiction, ReceivedAt: t.ReceivedAt.UTC()}
	var err error
	request.Purposes = a.purposes(t)
	if request.Lift, err = lifts(keys, t); err != nil {
		return in, err
	}
	if in.Identifiers, err = identifiers(keys, t.Answer.Identifiers); err != nil {
		return in, err
	}
	var described []statement.System
	for _, s := range t.Answer.Systems {
		m := a.manifests[s.System]
		if m == nil && nothingOf(s) {
			m = &manifest.Manifest{System: s.System}
		}
		if m == nil {
			return in, &unknownSystemError{s.System}
		}
		part := bundle.System{Manifest: m}
		if t.Right == dsar.Access || t.Right == dsar.Portability {
			part.Sources = a.sources(job, s, dsar.Gather)
			part.Released, part.Reviewed = ended(s, dsar.CodeOthersReleased), ended(s, dsar.CodeOthersReviewed)
			for _, p := range t.Answer.Parts {
				if p.System == s.System {
					part.Refused = append(part.Refused, p.Dataset)
				}
			}
		}
		if t.Right == dsar.Rectification {
			part.Former = a.sources(job, s, dsar.Rectify)
			if s.Unread > 0 {
				part.Unread = lost
			}
		}
		in.Systems, described = append(in.Systems, part), append(described, a.describe(m, lang, t.Jurisdiction))
	}
	if t.Answer.Keep != nil {
		described = append(described, statement.System{System: dsar.Habeas, Title: "Habeas", Datasets: []statement.Dataset{}})
	}
	in.Tell = func(read []statement.Reading) statement.Document {
		return statement.Document{
			Format: statement.Format, Request: request, Controller: controller, Language: lang.Tag, Vocabulary: statement.Vocabulary(), Systems: described,
			Statements: statement.Make(statement.Evidence{Request: request, Told: *t.Answer, Identifiers: in.Identifiers, Systems: described, Read: read, Refusal: controller.Refusal, Abroad: controller.Abroad}),
		}
	}
	return in, nil
}

// nothingOf reports whether a system is out of use and has said nothing of the person: then
// there is nothing to tell of it that its manifest would be needed for.
func nothingOf(s core.SystemAnswer) bool {
	return s.Retired != nil && !slices.ContainsFunc(s.Ends, func(e core.ActionEnd) bool {
		return e.Code != core.CodeRetired && e.Code != core.CodeRetiredOpen && e.Action != dsar.Resolve
	})
}

// describe returns what an answer tells of a system: the same for all answers in a language
// under a law, which MUST NOT change it.
func (a *Aggregator) describe(m *manifest.Manifest, lang *words.Language, law string) statement.System {
	k := description{m, lang, law}
	if known, is := a.described.Load(k); is {
		return known.(statement.System)
	}
	s := bundle.Describe(m, lang, law)
	a.described.Store(k, s)
	return s
}

// description names what is told of a system.
type description struct {
	m    *manifest.Manifest
	lang *words.Language
	law  string
}

// purposes returns what the purposes are called that the request ended, in the language
// of the answer. One is named once, whichever systems use data for it.
func (a *Aggregator) purposes(t core.AssembleTask) []string {
	var titles []string
	for _, s := range t.Answer.Systems {
		m := a.manifests[s.System]
		if m == nil {
			continue
		}
		used := m.UsedFor()
		for _, id := range t.Answer.Purposes {
			title := a.cfg.Language(t.Jurisdiction, t.Locale).Text(used[id].Title)
			if title != "" && !slices.Contains(titles, title) {
				titles = append(titles, title)
			}
		}
	}
	return titles
}

// lifts reports whether the request is to undo a restriction, which its sealed details
// say.
func lifts(keys *vault.Keys, t core.AssembleTask) (bool, error) {
	if len(t.Details) == 0 || t.Right.Stages()[0] != dsar.Restrict {
		return false, nil
	}
	plain, err := keys.Open(t.Details, vault.RequestDetails)
	if err != nil {
		return false, &identifierError{err}
	}
	var d event.Details
	if json.Unmarshal(plain, &d) != nil {
		return false, &identifierError{errors.New("the details are not what they should be")}
	}
	return d.Lift, nil
}

// sources returns the record streams that an action of a system left in the vault.
func (a *Aggregator) sources(job *worker.AssembleJob, s core.SystemAnswer, action dsar.Action) (sources []bundle.Source) {
	for _, end := range s.Ends {
		if end.Action != action {
			continue
		}
		for _, o := range end.Objects {
			sources = append(sources, func(ctx context.Context) (io.ReadCloser, error) {
				r, err := job.Open(ctx, o.Name)
				if err != nil {
					return nil, err
				}
				return &measured{ReadCloser: r, want: o.Bytes}, nil
			})
		}
	}
	return sources
}

// ended reports whether a system's gathering ended with a code.
func ended(s core.SystemAnswer, code string) bool {
	return slices.ContainsFunc(s.Ends, func(e core.ActionEnd) bool { return e.Action == dsar.Gather && e.Code == code })
}

// measured holds an object to the length that its worker reported.
type measured struct {
	io.ReadCloser
	want, got int64
}

var errLength = telemetry.Constant("the object isn't as long as its worker reported")

func (m *measured) Read(p []byte) (int, error) {
	n, err := m.ReadCloser.Read(p)
	m.got += int64(n)
	if err == io.EOF && m.got != m.want || m.got > m.want {
		return n, errLength
	}
	return n, err
}

// identifiers opens the request's identifiers: first those that the person
// gave, then those that systems found, in an order that doesn't depend on who
// answered first.
func identifiers(keys *vault.Keys, sealed []dsar.Identifier) ([]statement.Identifier, error) {
	type known struct {
		typ   dsar.IdentifierType
		value string
	}
	byPrint := make(map[string]known, len(sealed))
	out := make([]statement.Identifier, 0, len(sealed))
	for _, id := range sealed {
		value, err := keys.Open(id.Sealed, vault.Identifier)
		if err != nil {
			return nil, &identifierError{err}
		}
		byPrint[id.Fingerprint] = known{id.Type, string(value)}
		out = append(out, statement.Identifier{Type: id.Type, Value: string(value), Verified: id.Assurance == dsar.AssuranceVerified || id.Assurance == dsar.AssuranceProven, FoundBy: id.FoundBy})
	}
	for i, id := range sealed {
		from := byPrint[id.From]
		out[i].FromType, out[i].FromValue = from.typ, from.value
	}
	slices.SortStableFunc(out, func(x, y statement.Identifier) int {
		if x.FoundBy == "" && y.FoundBy == "" {
			return 0
		}
		return cmp.Or(cmp.Compare(x.FoundBy, y.FoundBy), cmp.Compare(x.Type, y.Type), cmp.Compare(x.Value, y.Value))
	})
	return out, nil
}
