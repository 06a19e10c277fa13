package receipt

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"gocloud.dev/blob"
	"golang.org/x/mod/sumdb/note"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/journal"
)

// The end of the list of heads is signed by the log's key and mirrored, as that of the journal
// of searches: so facts that were there by then can't be cut off, written anew or deleted
// without its showing, also of requests that have no leaf yet, and after a leaf.

const (
	// formHeads is the first line of what is signed.
	formHeads = "habeas.dev/heads/v1"
	// headsPath is the file of the mirror.
	headsPath = "heads"
	// maxListed bounds how many places are added at once: a journal of before there was a
	// list has all of its requests listed by and by.
	maxListed = 100
)

// headsName returns the name of the journal's note.
func headsName(origin string) string { return "log-heads " + origin }

// ErrHeads says that the list of heads isn't the one that was signed before.
var ErrHeads = telemetry.Constant("the list of requests' heads isn't the one that was signed before: the journal was restored from an older copy, or the list was altered: habeas audit says which, and habeas reconcile --yes has it signed as it is")

// errNotHeads says that something isn't a signed end of the list of heads.
var errNotHeads = errors.New("heads: not signed by the log's key")

// ErrHeadsNotSigned reports whether an error says that an end isn't signed.
func ErrHeadsNotSigned(err error) bool { return errors.Is(err, errNotHeads) }

// ReadHeads returns the end of the list of heads as the journal has it signed; a size of 0
// where there is none.
func ReadHeads(ctx context.Context, j journal.Notes, v note.Verifier) (journal.HeadsEnd, error) {
	signed, _, err := j.Note(ctx, headsName(v.Name()))
	if err != nil {
		return journal.HeadsEnd{}, err
	}
	return openHeads(signed, v)
}

// MirroredHeads returns the end of the list of heads as the mirror has it signed.
func MirroredHeads(ctx context.Context, b *blob.Bucket, v note.Verifier) (journal.HeadsEnd, error) {
	signed, err := newMirror(b, v.Name()).read(ctx, headsPath)
	if err != nil {
		return journal.HeadsEnd{}, err
	}
	return openHeads(signed, v)
}

func openHeads(signed []byte, v note.Verifier) (e journal.HeadsEnd, err error) {
	if len(signed) == 0 {
		return e, nil
	}
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return e, errNotHeads
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 5 || lines[0] != formHeads || lines[1] != v.Name() {
		return e, errNotHeads
	}
	if e.Size, err = strconv.ParseInt(lines[2], 10, 64); err != nil {
		return e, errNotHeads
	}
	if e.Chain, err = base64.StdEncoding.DecodeString(lines[3]); err != nil {
		return e, errNotHeads
	}
	return e, nil
}

// ListHeads lists the heads of requests that have changed, as far as it gets.
func ListHeads(ctx context.Context, j journal.Heads) error {
	for range maxListed {
		if n, err := j.AddHeads(ctx); err != nil || n == 0 {
			return err
		}
	}
	return nil
}

// RunHeads lists heads until the context ends, where there is no key to sign them.
func RunHeads(ctx context.Context, j journal.Heads, log *slog.Logger) error {
	beat := time.NewTicker(publishEvery)
	defer beat.Stop()
	for {
		if err := ListHeads(ctx, j); err != nil && ctx.Err() == nil {
			log.Error("requests' heads aren't listed", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
		}
	}
}

// SignHeads lists the heads of requests that have changed, and signs the list's end, where it
// goes on from the one that was signed before; else it returns [ErrHeads], but for anyway:
// after a restored journal was reconciled it is what there is. They are listed whatever comes
// of the rest: a list that can't be signed for hours still holds what it has against changes.
func (l *Log) SignHeads(ctx context.Context, anyway bool) error {
	if err := ListHeads(ctx, l.journal); err != nil {
		return err
	}
	signed, version, err := l.journal.Note(ctx, headsName(l.key.Name()))
	if err != nil {
		return err
	}
	last, err := openHeads(signed, l.verifier)
	if err != nil && !anyway {
		return err
	}
	copied, err := l.mirror.read(ctx, headsPath)
	if err != nil {
		return err
	}
	mirrored, err := openHeads(copied, l.verifier)
	if err != nil && !anyway {
		return err
	}
	for _, known := range []journal.HeadsEnd{last, mirrored} {
		if on, err := l.headsGoOn(ctx, known); err != nil {
			return err
		} else if !on && !anyway {
			return ErrHeads
		}
	}
	now, err := l.journal.HeadsEnd(ctx)
	if err != nil {
		return err
	}
	if same := func(e journal.HeadsEnd) bool { return e.Size == now.Size && bytes.Equal(e.Chain, now.Chain) }; same(last) && same(mirrored) {
		return nil
	}
	after := mirrored.Size
	if on, err := l.headsGoOn(ctx, mirrored); err != nil {
		return err
	} else if !on {
		after = 0 // those that the mirror has are others
	}
	if err := l.mirrorHeads(ctx, after, now.Size); err != nil {
		return err
	}
	text := fmt.Sprintf("%s\n%s\n%d\n%s\n", formHeads, l.key.Name(), now.Size, base64.StdEncoding.EncodeToString(now.Chain))
	if signed, err = note.Sign(&note.Note{Text: text}, l.key); err != nil {
		return fmt.Errorf("log: %w", err)
	}
	if err := l.journal.SetNote(ctx, headsName(l.key.Name()), signed, version); err != nil {
		return err
	}
	return l.mirror.write(ctx, headsPath, signed)
}

// headsGoOn reports whether the list of heads goes on from an end that is known.
func (l *Log) headsGoOn(ctx context.Context, known journal.HeadsEnd) (bool, error) {
	if known.Size == 0 {
		return true, nil
	}
	link, err := l.journal.HeadsLinks(ctx, known.Size, 1)
	return err == nil && len(link) == 1 && link[0].Place == known.Size && bytes.Equal(link[0].Chain, known.Chain), err
}
