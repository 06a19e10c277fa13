package keeper

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"gocloud.dev/blob"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/receipt"
)

// List lists what was forgotten, outside of the vault: a file for each root of a request
// that was ended, by the day. Where the vault's keys are restored from a backup, they are
// shredded again by it. It holds ids of requests and nothing else; each entry holds its
// name's MAC by a secret of the vault, so that whoever can write there has nothing shredded
// (TestForgedEntries).
type List struct{ bucket *blob.Bucket }

// NewList returns the list in a bucket.
func NewList(b *blob.Bucket) *List { return &List{b} }

const listPrefix = "forgotten/"

// add lists what of a request is about to be forgotten: a root, by its word, or its letters.
func (l *List) add(ctx context.Context, v *vault.Vault, at time.Time, requestID, word string) error {
	name := listPrefix + at.UTC().Format(time.DateOnly) + "/" + requestID + "." + word
	if err := l.bucket.WriteAll(ctx, name, macOf(v, name), nil); err != nil {
		return fmt.Errorf("list of what was forgotten: %w", err)
	}
	return nil
}

// macOf returns what an entry holds.
func macOf(v *vault.Vault, name string) []byte {
	m := hmac.New(sha256.New, v.Secret("list of what was forgotten"))
	m.Write([]byte(name)) // never fails
	return hex.AppendEncode(nil, m.Sum(nil))
}

// ours reports whether an entry was written by who has the vault. Until v0.1.0 all were
// empty.
func (l *List) ours(ctx context.Context, v *vault.Vault, o *blob.ListObject) (bool, error) {
	want := macOf(v, o.Key)
	if o.Size != int64(len(want)) {
		return false, nil
	}
	got, err := l.bucket.ReadAll(ctx, o.Key)
	if err != nil {
		return false, fmt.Errorf("list of what was forgotten: %w", err)
	}
	return hmac.Equal(got, want), nil
}

// Journalled reports whether the journal has it that a root of a request was ended.
type Journalled func(ctx context.Context, requestID string, root vault.Root) (bool, error)

// JournalledBy returns what requests' facts say.
func JournalledBy(r receipt.Requests) Journalled {
	return func(ctx context.Context, requestID string, root vault.Root) (bool, error) {
		s, err := r.State(ctx, requestID)
		if errors.Is(err, core.ErrUnknown) || err == nil && !s.Exists() {
			return false, nil
		}
		return root == vault.RecordsRoot && s.RecordsEnded || !s.SubjectForgotten.IsZero(), err
	}
}

// Again ends anew what the list names since the vault's keys last saw it: all of it
// where they come from a backup, and a day's at an ordinary start. It MUST be called
// before anything else opens a request's keys (TestRestoredKeys). It returns how many
// roots were ended, and of how many the list's entry is forged: neither the vault's own nor,
// as one of before v0.2.0, what the journal has, too.
func (l *List) Again(ctx context.Context, v *vault.Vault, has Journalled, now time.Time) (n, forged int, err error) {
	from, err := v.ForgottenThrough(ctx)
	if err != nil {
		return 0, 0, err
	}
	err = l.days(ctx, from, func(day string, _ time.Time) error {
		some, strange, err := l.day(ctx, v, has, day)
		n, forged = n+some, forged+strange
		return err
	})
	if err != nil {
		return n, forged, err
	}
	return n, forged, v.SetForgottenThrough(ctx, now)
}

// days calls a function with each day since some before a time, and what the names of its
// entries begin with.
func (l *List) days(ctx context.Context, from time.Time, each func(prefix string, day time.Time) error) error {
	days := l.bucket.List(&blob.ListOptions{Prefix: listPrefix, Delimiter: "/"})
	for {
		d, err := days.Next(ctx)
		if d == nil {
			return ended(err)
		}
		day, err := time.Parse(time.DateOnly, strings.Trim(strings.TrimPrefix(d.Key, listPrefix), "/"))
		if err != nil || day.Before(from.Add(-listMargin)) {
			continue
		}
		if err := each(d.Key, day); err != nil {
			return err
		}
	}
}

// ErrRestored says that the vault's keys open what was forgotten.
var ErrRestored = telemetry.Constant("the vault's keys open what was forgotten, so they come from a backup: nothing is opened before a coordinator has started, which shreds it again")

const (
	// inFlight is how long a forgetting may take from its entry in the list to the end of
	// the keys: an entry that is newer says nothing.
	inFlight = time.Minute
	// maxChecked bounds the entries that are looked at: keys from a backup open all that was
	// forgotten since, and so the newest.
	maxChecked = 100
)

// Check returns [ErrRestored] where the vault's keys open what the list's newest entries
// name: they come from a backup, and no coordinator has started since. It ends nothing, so
// whoever reads list and keys can call it, and MUST before it opens a request's keys.
func (l *List) Check(ctx context.Context, v *vault.Vault, now time.Time) error {
	newest := ""
	days := l.bucket.List(&blob.ListOptions{Prefix: listPrefix, Delimiter: "/"})
	for {
		d, err := days.Next(ctx)
		if d == nil {
			if err := ended(err); err != nil {
				return err
			}
			break
		}
		newest = max(newest, d.Key) // ISO days are in the order of their letters
	}
	if newest == "" {
		return nil
	}
	entries, err := l.before(ctx, newest, now.Add(-inFlight))
	if err != nil {
		return err
	}
	for _, o := range entries {
		if ours, err := l.ours(ctx, v, o); err != nil {
			return err
		} else if !ours {
			continue
		}
		id, word, _ := strings.Cut(strings.TrimPrefix(o.Key, newest), ".")
		keys, err := v.Keys(ctx, id)
		if gone(err) {
			continue
		}
		if err != nil {
			return err
		}
		if root := rootOf(word); root != nil && !keys.Ended(*root) {
			return ErrRestored
		}
	}
	return nil
}

// before returns the newest entries of a day that were made before a time.
func (l *List) before(ctx context.Context, day string, at time.Time) ([]*blob.ListObject, error) {
	var entries []*blob.ListObject
	files := l.bucket.List(&blob.ListOptions{Prefix: day})
	for {
		o, err := files.Next(ctx)
		if o == nil {
			if err := ended(err); err != nil {
				return nil, err
			}
			slices.SortFunc(entries, func(a, b *blob.ListObject) int { return b.ModTime.Compare(a.ModTime) })
			return entries[:min(len(entries), maxChecked)], nil
		}
		if o.ModTime.Before(at) {
			entries = append(entries, o)
		}
	}
}

// rootOf returns the root of a word; nil for another word.
func rootOf(word string) *vault.Root {
	for _, root := range []vault.Root{vault.SubjectRoot, vault.RecordsRoot} {
		if word == root.String() {
			return &root
		}
	}
	return nil
}

// listMargin is how far clocks of two processes may differ, and a day may have begun for
// one of them alone.
const listMargin = 48 * time.Hour

// day ends what one day's list names.
func (l *List) day(ctx context.Context, v *vault.Vault, has Journalled, prefix string) (n, forged int, err error) {
	files := l.bucket.List(&blob.ListOptions{Prefix: prefix})
	for {
		o, err := files.Next(ctx)
		if o == nil {
			return n, forged, ended(err)
		}
		id, word, _ := strings.Cut(strings.TrimPrefix(o.Key, prefix), ".")
		root := rootOf(word)
		if root == nil {
			continue
		}
		ours, err := l.ours(ctx, v, o)
		if err == nil && !ours {
			ours, err = has(ctx, id, *root)
		}
		if err != nil {
			return n, forged, err
		}
		if !ours {
			forged++
			continue
		}
		if err := v.End(ctx, id, *root); err != nil {
			return n, forged, err
		}
		n++
	}
}

// EachLetters calls a function with each request whose letters an erasure had deleted: an
// entry that nobody of ours has written is passed over.
func (l *List) EachLetters(ctx context.Context, v *vault.Vault, each func(requestID string)) error {
	return l.days(ctx, time.Time{}, func(prefix string, _ time.Time) error {
		files := l.bucket.List(&blob.ListOptions{Prefix: prefix})
		for {
			o, err := files.Next(ctx)
			if o == nil {
				return ended(err)
			}
			id, word, _ := strings.Cut(strings.TrimPrefix(o.Key, prefix), ".")
			if word != lettersWord {
				continue
			}
			if ours, err := l.ours(ctx, v, o); err != nil {
				return err
			} else if ours {
				each(id)
			}
		}
	})
}

// ended returns the error that ended a listing; nil where it came to its end.
func ended(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return fmt.Errorf("list: %w", err)
}
