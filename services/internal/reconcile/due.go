package reconcile

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
	"golang.org/x/mod/sumdb/note"

	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/receipt"
)

// DueError says that the journal was restored from a backup and isn't reconciled yet.
type DueError struct {
	// Since is the last time at which the journal is known to have been whole; zero: unknown.
	Since time.Time
}

// Error names the cause and the cure.
func (e *DueError) Error() string { return e.Summary() }

// Summary implements the health check's summary: it names nothing of a request.
func (e *DueError) Summary() string {
	since := "an unknown time"
	if !e.Since.IsZero() {
		since = e.Since.UTC().Format(time.RFC3339)
	}
	return "the journal is a copy of " + since + " and lacks what was done since; nobody is answered before habeas reconcile has been run with --yes"
}

// Marks tells whether a journal is older than what was done on it. Each coordinator counts
// one up in the journal every [MarkEvery], and then writes the number to the mirror: a
// journal whose number is lower than the mirror's comes from a backup. What was committed
// since the last mark isn't noticed by it.
type Marks struct {
	Journal journal.Store
	Mirror  *blob.Bucket
	Vault   *vault.Vault
	// Log verifies the mirrored checkpoint of the log of receipts, which tells the same; nil:
	// no log is signed here.
	Log note.Verifier
	Now func() time.Time
}

// MarkEvery is how often a journal is marked, and so how much may be lost of it unnoticed.
const MarkEvery = 5 * time.Second

// markNote and markFile are the mark's places in journal and mirror.
const (
	markNote = "mark"
	markFile = "journal/mark"
)

// mark is what the journal holds, and, signed, the mirror.
type mark struct {
	N   int64     `json:"n"`
	At  time.Time `json:"at"`
	Due *due      `json:"due,omitempty"`
	// Done is when the journal was last reconciled; zero: never.
	Done time.Time `json:"done,omitzero"`
	// MAC is set in the mirror: whoever else can write there stops nothing.
	MAC string `json:"mac,omitempty"`
}

type due struct {
	Since time.Time `json:"since"`
}

func (d *due) err() error {
	if d == nil {
		return nil
	}
	return &DueError{Since: d.Since}
}

// Due returns a [DueError] where a coordinator has noticed that a journal is to be
// reconciled.
func Due(ctx context.Context, j journal.Notes) error {
	m, _, err := readMark(ctx, j)
	if err != nil {
		return err
	}
	return m.Due.err()
}

// LastDone returns when a journal was last reconciled with what else remembers its requests; the
// zero time: never.
func LastDone(ctx context.Context, j journal.Notes) (time.Time, error) {
	m, _, err := readMark(ctx, j)
	return m.Done, err
}

func readMark(ctx context.Context, j journal.Notes) (m mark, version int64, err error) {
	text, version, err := j.Note(ctx, markNote)
	if err != nil || version == 0 {
		return m, version, err
	}
	if err := json.Unmarshal(text, &m); err != nil {
		return m, version, errors.New("the journal's mark can't be read: delete the note " + markNote)
	}
	return m, version, nil
}

// Look compares journal and mirror, and marks both where the journal is the newest that
// there was. A [DueError] says that it isn't: that is kept in the journal until [Marks.Done].
func (k Marks) Look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, markTime)
	defer cancel()
	own, version, err := readMark(ctx, k.Journal)
	if err != nil {
		return err
	}
	if own.Due != nil {
		return own.Due.err()
	}
	older, newest, err := k.older(ctx, own)
	if err != nil {
		return err
	}
	if older {
		own.Due = &due{Since: own.At}
		if err := k.set(ctx, own, version); err != nil {
			return err
		}
		return own.Due.err()
	}
	own.N, own.At = max(own.N, newest)+1, k.Now()
	if err := k.set(ctx, own, version); err != nil {
		if errors.Is(err, journal.ErrConflict) {
			return nil // another coordinator has marked it
		}
		return err
	}
	return k.write(ctx, own)
}

// Compare returns a [DueError] where the journal is older than the mirror, and changes nothing.
func (k Marks) Compare(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, markTime)
	defer cancel()
	own, _, err := readMark(ctx, k.Journal)
	if err != nil {
		return err
	}
	older, _, err := k.older(ctx, own)
	if err != nil || !older {
		return err
	}
	return &DueError{Since: own.At}
}

// older reports whether the mirror knows of more than the journal does.
func (k Marks) older(ctx context.Context, own mark) (older bool, newest int64, err error) {
	mirrored, err := k.read(ctx)
	if err != nil {
		return false, 0, err
	}
	if mirrored.N > own.N {
		return true, mirrored.N, nil
	}
	if k.Log == nil {
		return false, mirrored.N, nil
	}
	signed, err := receipt.MirroredCheckpoint(ctx, k.Mirror, k.Log.Name())
	if err != nil || len(signed) == 0 {
		return false, mirrored.N, err
	}
	c, err := receipt.OpenCheckpoint(signed, k.Log)
	if err != nil {
		return false, mirrored.N, nil //nolint:nilerr // another key's: the log says so when it is published
	}
	has, err := k.Journal.TreeSize(ctx)
	return err == nil && has < c.Size, mirrored.N, err
}

// Span returns between when is what a journal lacks: the last time at which it is known to have
// been whole, and the last one at which the mirror was marked; zero: unknown.
func (k Marks) Span(ctx context.Context) (from, until time.Time, err error) {
	own, _, err := readMark(ctx, k.Journal)
	if err != nil {
		return from, until, err
	}
	if from = own.At; own.Due != nil {
		from = own.Due.Since
	}
	mirrored, err := k.read(ctx)
	return from, mirrored.At, err
}

// Done ends that reconciling is due.
func (k Marks) Done(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, markTime)
	defer cancel()
	own, version, err := readMark(ctx, k.Journal)
	if err != nil {
		return err
	}
	mirrored, err := k.read(ctx)
	if err != nil {
		return err
	}
	own = mark{N: max(own.N, mirrored.N) + 1, At: k.Now(), Done: k.Now()}
	if err := k.set(ctx, own, version); err != nil {
		return err
	}
	return k.write(ctx, own)
}

func (k Marks) set(ctx context.Context, m mark, version int64) error {
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	return k.Journal.SetNote(ctx, markNote, text, version)
}

// macOf returns the MAC of a mark.
func (k Marks) macOf(m mark) string {
	h := hmac.New(sha256.New, k.Vault.Secret("marks of the journal"))
	fmt.Fprintf(h, "%d\x00%d", m.N, m.At.UnixMicro())
	return hex.EncodeToString(h.Sum(nil))
}

// read returns the mirror's mark; the zero mark where there is none, or one that nobody of
// ours has written.
func (k Marks) read(ctx context.Context) (m mark, err error) {
	text, err := k.file(ctx)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return m, nil
	}
	if err != nil {
		return m, fmt.Errorf("the mirror's mark: %w", err)
	}
	if json.Unmarshal(text, &m) == nil && hmac.Equal([]byte(m.MAC), []byte(k.macOf(m))) {
		return m, nil
	}
	return mark{}, nil
}

// maxMark bounds what is read as a mark: others can write there. markTime bounds a look at
// journal and mirror.
const (
	maxMark  = 4 << 10
	markTime = 30 * time.Second
)

func (k Marks) file(ctx context.Context) ([]byte, error) {
	r, err := k.Mirror.NewReader(ctx, markFile, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }() // it was only read
	return io.ReadAll(io.LimitReader(r, maxMark))
}

func (k Marks) write(ctx context.Context, m mark) error {
	m.MAC = k.macOf(m)
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := k.Mirror.WriteAll(ctx, markFile, text, nil); err != nil {
		return fmt.Errorf("the mirror's mark: %w", err)
	}
	return nil
}

// Run marks until the context ends. It returns a [DueError] as soon as the journal is
// found to be older: whoever runs on it holds what it no longer has, and MUST stop.
func (k Marks) Run(ctx context.Context, log *slog.Logger) error {
	beat := time.NewTicker(MarkEvery)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
		}
		err := k.Look(ctx)
		if is := (*DueError)(nil); errors.As(err, &is) {
			return err
		}
		if err != nil && ctx.Err() == nil {
			log.Warn("the journal isn't marked: a restored copy would be noticed late", "error", err)
		}
	}
}
