package audit

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"slices"

	"gocloud.dev/gcerrors"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/letter"
	"habeas.dev/services/internal/outbox"
)

// outside holds what lies outside of the journal against what a request's facts say of it:
// answers, later certificates and letters in the outbox, objects in the vault.
func (a *look) outside(ctx context.Context, s core.State, events []core.Event) error {
	if a.Outbox != nil {
		if err := a.answers(ctx, s, events); err != nil {
			return err
		}
		if err := a.letters(ctx, s); err != nil {
			return err
		}
	}
	if a.Vault == nil || a.Answer == nil {
		return nil
	}
	return a.objects(ctx, s)
}

// answered are the objects of the outbox that answer a request, by their names.
type answered struct {
	there map[string]dsar.Object // that are to be there
	later map[string]bool        // that are later certificates
}

// answersOf returns what facts say of answers.
func answersOf(events []core.Event) answered {
	all := answered{map[string]dsar.Object{}, map[string]bool{}}
	add := func(o dsar.Object) {
		if o.Name != "" {
			all.there[o.Name] = o
		}
	}
	for _, e := range events {
		switch e := e.(type) {
		case core.AnswerAvailable:
			add(e.Bundle)
		case core.Completed:
			add(e.Bundle)
		case core.AddendumIssued:
			add(e.Addendum)
			all.later[e.Addendum.Name] = true
		case core.TakenUp:
			if e.Answer != nil {
				add(*e.Answer)
			}
		case core.Forgotten: // of either part: whom it was about goes last
			clear(all.there)
		}
	}
	return all
}

// answers holds answers and later certificates in the outbox against the facts.
func (a *look) answers(ctx context.Context, s core.State, events []core.Event) error {
	id, all := s.Accepted.RequestID, answersOf(events)
	for _, name := range slices.Sorted(maps.Keys(all.there)) {
		o, err := a.Outbox.Attributes(ctx, name)
		what := "answer"
		if all.later[name] {
			what = "later certificate"
		}
		switch want := all.there[name]; {
		case gcerrors.Code(err) == gcerrors.NotFound:
			a.find("answer", id, "Its %s isn't in the outbox.", what)
		case err != nil:
			return err
		case o.Size < want.Bytes:
			a.find("answer", id, "Its %s in the outbox is shorter than the journal says: it was cut off or exchanged.", what)
		default:
			read := a.Answer
			if all.later[name] {
				read = a.Addendum
			}
			if a.Vault != nil && read != nil && read(ctx, id, want) != nil {
				a.find("answer", id, "Its %s in the outbox isn't the one that the journal names, or isn't signed as it was.", what)
			}
		}
	}
	if left := s.ReceiptLeft; left != nil && left.Object != "" && !s.RecordsEnded {
		if there, err := a.Outbox.Exists(ctx, left.Object); err != nil {
			return err
		} else if !there {
			a.find("answer", id, "Its receipt isn't in the outbox.")
		}
	}
	return nil
}

// letters holds the letters that facts tell of against the outbox, until whom they are to is
// forgotten. An erasure of the person has letters deleted of requests whose records have
// ended, which no fact of theirs says: of those what is missing is looked up at the end.
func (a *look) letters(ctx context.Context, s core.State) error {
	if !s.SubjectForgotten.IsZero() {
		return nil
	}
	id := s.Accepted.RequestID
	for _, l := range s.Letters {
		name := outbox.LetterName(id, l.Cause, l.Letter, l.Language)
		there, err := a.Outbox.Exists(ctx, name)
		if err != nil {
			return err
		}
		if !there && s.RecordsEnded {
			a.misses(id, l.Cause)
			continue
		}
		if !there {
			a.find("letter", id, "The letter about its version %d isn't in the outbox: it was deleted.", l.Cause)
			continue
		}
		if same, err := a.sameLetter(ctx, id, name, l.Digest); err != nil {
			return err
		} else if !same {
			a.find("letter", id, "The letter about its version %d isn't the one that was written: it was altered or exchanged.", l.Cause)
		}
	}
	return nil
}

// misses remembers that a letter is missing, by the version that it is about.
func (a *look) misses(id string, cause int) {
	if !a.first {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.missing[id] = append(a.missing[id], cause)
}

// sameLetter reports whether a letter is the one that a fact has the digest of, where
// letters are read.
func (a *look) sameLetter(ctx context.Context, id, name, digest string) (bool, error) {
	if digest == "" || a.Vault == nil || a.Answer == nil {
		return true, nil
	}
	keys, err := a.Vault.Keys(ctx, id)
	if err != nil {
		return true, nil //nolint:nilerr // what is wrong with keys is named where they are looked at
	}
	text, err := a.readLetter(ctx, name)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return false, nil // deleted just now: it is looked at once more
	}
	if err != nil {
		return false, err
	}
	if text, err = letter.Open(ctx, a.Vault, id, text); err != nil {
		return errors.Is(err, vault.ErrShredded), nil // ended meanwhile; else nobody of ours sealed it
	}
	is, err := keys.Digest(text)
	return is == digest || err != nil, nil // or the keys were ended meanwhile
}

// readLetter reads a letter; of one that is longer than any, as much as shows that.
func (a *look) readLetter(ctx context.Context, name string) ([]byte, error) {
	r, err := a.Outbox.NewReader(ctx, name, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // it was read
	return io.ReadAll(io.LimitReader(r, maxLetter))
}

// objects opens the objects of the vault that the facts name, and holds them against these.
func (a *look) objects(ctx context.Context, s core.State) error {
	for _, t := range s.Tasks {
		forgotten := !s.SubjectForgotten.IsZero() || t.Action == dsar.Gather && s.RecordsEnded
		if t.System == dsar.Aggregator || forgotten {
			continue
		}
		for _, o := range t.End.Objects {
			if err := a.object(ctx, s.Accepted.RequestID, t.System, o); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *look) object(ctx context.Context, id, system string, o dsar.Object) error {
	r, err := a.Vault.OpenObject(ctx, id, o.Name)
	var n int64
	sum := sha256.New()
	if err == nil {
		n, err = io.Copy(sum, r)
		_ = r.Close() // it was only read
	}
	switch {
	case errors.Is(err, vault.ErrNoObject):
		a.find("object", id, "What %s gave isn't in the vault: it was deleted.", system)
	case errors.Is(err, vault.ErrShredded), errors.Is(err, vault.ErrNoKeys): // named with the keys
	case errors.Is(err, vault.ErrCorrupt), err == nil && (n != o.Bytes || o.SHA256 != "" && hex.EncodeToString(sum.Sum(nil)) != o.SHA256):
		a.find("object", id, "What %s gave isn't what the journal names: it was altered, cut off or exchanged.", system)
	default:
		return err
	}
	return nil
}
