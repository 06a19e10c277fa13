package keeper

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/outbox"
)

const (
	// maxSwept bounds how many forgettings the outbox is held against at once: their requests'
	// ids are in memory. What is more takes another reading of its names.
	maxSwept = 100_000
	// lettersWord is what an entry of the list ends with that is about a request's letters alone.
	lettersWord = "letters"
)

// swept is what of a request was forgotten, since the outbox last saw it.
type swept struct {
	letters, answer bool
	// sent is until when its letters were deleted that had been sent, where the person was
	// erased and the request is still known; zero: none was.
	sent time.Time
}

// SweepOutbox deletes anew from the outbox what the list has as forgotten since the outbox's
// own mark: all that came back where it was restored from a backup, letters among it, which
// are no sealed things. It returns of how many requests there was something. It MUST be
// called before anybody is shown anything, and is called now and then (TestRestoredOutbox).
// Where nothing was forgotten since, the outbox isn't read.
func (k *Keeper) SweepOutbox(ctx context.Context) (n int, err error) {
	before, err := k.outboxMark(ctx)
	if err != nil {
		return 0, err
	}
	seen, next := sha256.New(), outboxMark{day: k.Now().UTC().Truncate(24 * time.Hour)}
	ahead := sha256.New()
	found := map[string]swept{}
	// Names come in order, so that the same entries have the same sum.
	has := JournalledBy(k.Requests)
	err = k.List.since(ctx, k.Vault, has, before.day, func(id, word string, day time.Time) error {
		line := day.Format(time.DateOnly) + " " + id + "." + word + "\n"
		_, _ = io.WriteString(seen, line) // never fails
		if !day.Before(next.day.Add(-listMargin)) {
			_, _ = io.WriteString(ahead, line)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if next.sum = hex.EncodeToString(ahead.Sum(nil)); before.sum == hex.EncodeToString(seen.Sum(nil)) {
		if next == before {
			return 0, nil
		}
		return 0, k.markOutbox(ctx, next)
	}
	err = k.List.since(ctx, k.Vault, has, before.day, func(id, word string, day time.Time) error {
		if found[id] = sweptBy(found[id], word, day); len(found) < maxSwept {
			return nil
		}
		some, err := k.sweep(ctx, found)
		n += some
		clear(found)
		return err
	})
	if err != nil {
		return n, err
	}
	some, err := k.sweep(ctx, found)
	if n += some; err != nil {
		return n, err
	}
	return n, k.markOutbox(ctx, next)
}

// sweptBy adds to what was forgotten of a request what an entry of the list says.
func sweptBy(f swept, word string, day time.Time) swept {
	switch word {
	case lettersWord:
		f.sent = day.AddDate(0, 0, 1)
	case vault.RecordsRoot.String():
		f.answer = true
	default: // whom it was about, and all else before
		f.letters, f.answer = true, true
	}
	return f
}

// outboxMark is what the outbox's mark says: through which day what was forgotten has been
// deleted, and the sum of the list's entries from some days before that, as they were then.
type outboxMark struct {
	day time.Time
	sum string
}

// outboxMark returns the outbox's mark; the zero one where there is none, or one that nobody
// can read: all of the list is gone through then.
func (k *Keeper) outboxMark(ctx context.Context) (m outboxMark, err error) {
	text, err := k.Outbox.ReadAll(ctx, outbox.MarkName)
	if err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return m, fmt.Errorf("outbox: %w", err)
	}
	day, sum, _ := strings.Cut(string(text), " ")
	if m.day, err = time.Parse(time.DateOnly, day); err != nil {
		return outboxMark{}, nil //nolint:nilerr // as if there were none
	}
	m.sum = sum
	return m, nil
}

func (k *Keeper) markOutbox(ctx context.Context, m outboxMark) error {
	if err := k.Outbox.WriteAll(ctx, outbox.MarkName, []byte(m.day.Format(time.DateOnly)+" "+m.sum), nil); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	return nil
}

// sweep deletes what there is of some requests in the outbox, whose names are read once.
func (k *Keeper) sweep(ctx context.Context, found map[string]swept) (n int, err error) {
	if len(found) == 0 {
		return 0, nil
	}
	there := map[string][]string{} // by request, what came back
	list := k.Outbox.List(nil)
	for {
		o, err := list.Next(ctx)
		if o == nil {
			if err := ended(err); err != nil {
				return n, err
			}
			break
		}
		is := outbox.Parse(o.Key)
		if f, forgotten := found[is.RequestID]; forgotten && f.reaches(is) {
			there[is.RequestID] = append(there[is.RequestID], o.Key)
		}
	}
	for id, names := range there {
		if f := found[id]; !f.letters && !f.sent.IsZero() {
			if names, err = k.sentBefore(ctx, id, f.sent, names); err != nil {
				return n, err
			}
		}
		for _, name := range names {
			if err := outbox.Delete(ctx, k.Outbox, name); err != nil {
				return n, err
			}
		}
		n += min(len(names), 1)
	}
	return n, nil
}

// reaches reports whether an object may be of what was forgotten of its request.
func (f swept) reaches(o outbox.Object) bool {
	switch o.Part {
	case core.PartSubject:
		return f.letters || !f.sent.IsZero()
	case core.PartRecords:
		return f.answer
	}
	return false
}

// sentBefore leaves out of names the letters that weren't sent before a time.
func (k *Keeper) sentBefore(ctx context.Context, id string, at time.Time, names []string) ([]string, error) {
	s, err := k.Requests.State(ctx, id)
	if err != nil {
		return nil, err
	}
	sent := map[string]bool{}
	for _, l := range s.Letters {
		sent[outbox.LetterName(id, l.Cause, l.Letter, l.Language)] = l.At.Before(at)
	}
	return slices.DeleteFunc(names, func(name string) bool {
		return outbox.Parse(name).Part == core.PartSubject && !sent[name]
	}), nil
}

// since calls a function with what was listed from some days before a day: the request's id,
// what of it, and the day. An entry that nobody of ours has written is passed over;
// [List.Again] counts those.
func (l *List) since(ctx context.Context, v *vault.Vault, has Journalled, from time.Time, each func(id, word string, day time.Time) error) error {
	return l.days(ctx, from, func(prefix string, day time.Time) error {
		files := l.bucket.List(&blob.ListOptions{Prefix: prefix})
		for {
			o, err := files.Next(ctx)
			if o == nil {
				return ended(err)
			}
			id, word, _ := strings.Cut(strings.TrimPrefix(o.Key, prefix), ".")
			root := rootOf(word)
			if root == nil && word != lettersWord {
				continue
			}
			ours, err := l.ours(ctx, v, o)
			if err == nil && !ours && root != nil {
				ours, err = has(ctx, id, *root)
			}
			if err == nil && ours {
				err = each(id, word, day)
			}
			if err != nil {
				return err
			}
		}
	})
}
