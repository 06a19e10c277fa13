package receipt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"gocloud.dev/blob"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/signkey"
)

// Journal is what the log needs of the journal.
type Journal interface {
	journal.Tree
	journal.Notes
	journal.Heads
	// SearchHead and SearchLinks are those of journal.Searches.
	SearchHead(ctx context.Context) (journal.SearchHead, error)
	SearchLinks(ctx context.Context, from int64, limit int) ([]journal.SearchLink, error)
}

// Log signs the transparency log of one journal. It is safe for use by many goroutines,
// and several processes may sign one log: its tree grows in one way only.
type Log struct {
	journal   Journal
	key       signkey.Key
	verifier  note.Verifier
	mirror    *mirror
	witnesses []*Witness
}

// Config configures a [Log]. Its key's name is the log's origin.
type Config struct {
	Journal Journal
	Key     signkey.Key
	// Mirror is where leaves and checkpoints are written to before a proof leaves.
	Mirror *blob.Bucket
	// Witnesses must all have cosigned a checkpoint before a proof ends in it.
	Witnesses []*Witness
}

// NewLog returns a log.
func NewLog(c Config) (*Log, error) {
	v, err := note.NewVerifier(c.Key.Verifier)
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	return &Log{journal: c.Journal, key: c.Key, verifier: v, mirror: newMirror(c.Mirror, c.Key.Name()), witnesses: c.Witnesses}, nil
}

// ErrForked says that the journal's log and the one that was mirrored or signed before are
// two histories: the journal was restored from an older copy and went on before it took
// in what it lacked, or one of the two was altered. Nothing is signed then, since the one
// key would vouch for both.
var ErrForked = telemetry.Constant("the journal's log isn't the one that was signed before: restore the newest copy of the journal; or begin a log of a new name, by receipts.name and habeas keys init, and keep the old mirror for the receipts that it proves")

// ErrBehind says that the journal's log lacks leaves that were signed: it was restored from an
// older copy, or they were deleted. Nothing is signed and nothing taken in before a person
// has [Log.TakeIn] called, since they are told what else is missing.
var ErrBehind = telemetry.Constant("the journal lacks leaves that its log has signed: it was restored from an older copy, or they were deleted: habeas reconcile says what is missing, and takes them in with --yes")

// noteName returns the name of the journal's note with the log's last checkpoint.
func noteName(origin string) string { return "log " + origin }

// Publish signs, has witnessed and mirrors what the journal has more than the mirror. It
// returns the newest checkpoint, which is mirrored by then; [ErrBehind] where the journal has
// less.
func (l *Log) Publish(ctx context.Context) (Checkpoint, error) {
	for range maxPublishes {
		c, err := l.publish(ctx)
		if !errors.Is(err, journal.ErrConflict) {
			return c, err
		}
	}
	return Checkpoint{}, fmt.Errorf("log: %w", journal.ErrConflict)
}

// maxPublishes bounds how often it is begun anew because another process published, or
// a leaf was appended, at the same moment.
const maxPublishes = 10

func (l *Log) publish(ctx context.Context) (Checkpoint, error) {
	signed, version, err := l.journal.Note(ctx, noteName(l.key.Name()))
	if err != nil {
		return Checkpoint{}, err
	}
	last, err := l.open(signed)
	if err != nil {
		return last, err
	}
	copied, err := l.mirror.read(ctx, checkpointPath)
	if err != nil {
		return last, err
	}
	mirrored, err := l.open(copied)
	if err != nil {
		return last, err
	}
	size, err := l.journal.TreeSize(ctx)
	if err != nil {
		return last, err
	}
	if size < mirrored.Size {
		return last, fmt.Errorf("%w (it has %d of %d)", ErrBehind, size, mirrored.Size)
	}
	for _, known := range []Checkpoint{last, mirrored} {
		if err := l.continues(ctx, known, size); err != nil {
			return last, err
		}
	}
	now := last
	if mirrored.Size > now.Size {
		now = mirrored // the journal was restored, and has taken them in
	}
	if size > now.Size || now.Signed == nil {
		if now, err = l.sign(ctx, size, now); err != nil {
			return last, err
		}
	}
	if err := l.mirror.grow(ctx, l.journal, mirrored.Size, now.Size); err != nil {
		return last, err
	}
	if !bytes.Equal(now.Signed, last.Signed) {
		if err := l.journal.SetNote(ctx, noteName(l.key.Name()), now.Signed, version); err != nil {
			return last, err
		}
	}
	if !bytes.Equal(now.Signed, mirrored.Signed) {
		if err := l.mirror.write(ctx, checkpointPath, now.Signed); err != nil {
			return last, err
		}
	}
	return now, nil
}

// open reads a checkpoint of this log; the zero Checkpoint where there is none.
func (l *Log) open(signed []byte) (Checkpoint, error) {
	if len(signed) == 0 {
		return Checkpoint{}, nil
	}
	c, err := OpenCheckpoint(signed, l.verifier)
	if err != nil || c.Origin != l.key.Name() {
		return Checkpoint{}, fmt.Errorf("the log's last checkpoint was signed by another key than %s of %s: put the key back, or begin a log of a new name: %w", l.key.Verifier, l.key.Name(), err)
	}
	return c, nil
}

// continues checks that a tree of that size is a continuation of a checkpoint's.
func (l *Log) continues(ctx context.Context, c Checkpoint, size int64) error {
	if c.Size > size {
		return fmt.Errorf("%w (it has %d leaves, and %d were signed)", ErrForked, size, c.Size)
	}
	root, err := tlog.TreeHash(c.Size, journal.HashReader(ctx, l.journal))
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	if c.Signed != nil && root != c.Root {
		return fmt.Errorf("%w (they part before leaf %d)", ErrForked, c.Size)
	}
	return nil
}

// sign makes the checkpoint of a tree of that size, cosigned by every witness.
func (l *Log) sign(ctx context.Context, size int64, before Checkpoint) (Checkpoint, error) {
	root, err := tlog.TreeHash(size, journal.HashReader(ctx, l.journal))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("log: %w", err)
	}
	c := Checkpoint{Origin: l.key.Name(), Size: size, Root: root}
	if c.Signed, err = note.Sign(&note.Note{Text: c.text()}, l.key); err != nil {
		return c, fmt.Errorf("log: %w", err)
	}
	for _, w := range l.witnesses {
		line, err := w.cosign(ctx, l, c, before.Size)
		if err != nil {
			return c, err
		}
		c.Signed = append(c.Signed, line...)
	}
	return c, nil
}

// Proof returns the proof that a leaf is in the log, with the salt of what it commits to.
// What it ends in is mirrored by then.
func (l *Log) Proof(ctx context.Context, index int64, salt []byte) ([]byte, error) {
	c, err := l.Publish(ctx)
	if err != nil {
		return nil, err
	}
	if index >= c.Size {
		return nil, fmt.Errorf("log: leaf %d of %d", index, c.Size)
	}
	hashes, err := tlog.ProveRecord(c.Size, index, journal.HashReader(ctx, l.journal))
	if err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	return formatProof(index, salt, hashes, c.Signed), nil
}

// publishEvery is the interval between looks at the log: nobody waits for it, and
// checkpoints tell how many requests end.
const publishEvery = 10 * time.Second

// Run publishes until the context ends.
func (l *Log) Run(ctx context.Context, log *slog.Logger) error {
	beat := time.NewTicker(publishEvery)
	defer beat.Stop()
	for {
		if _, err := l.Publish(ctx); err != nil && ctx.Err() == nil {
			log.Error("the log of receipts isn't published", "error", err)
		}
		if err := l.SignSearches(ctx, false); err != nil && ctx.Err() == nil && !errors.Is(err, journal.ErrConflict) {
			log.Error("the journal of searches isn't signed", "error", err)
		}
		if err := l.SignHeads(ctx, false); err != nil && ctx.Err() == nil && !errors.Is(err, journal.ErrConflict) {
			log.Error("the list of requests' heads isn't signed", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
		}
	}
}
