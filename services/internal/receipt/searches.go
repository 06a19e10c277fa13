package receipt

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"gocloud.dev/blob"
	"golang.org/x/mod/sumdb/note"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/journal"
)

// The end of the journal of searches is signed by the log's key and mirrored, as the log's
// checkpoints are: whoever has the journal's database can write its chain anew, and can't
// sign it.

// formSearches is the first line of what is signed.
const formSearches = "habeas.dev/searches/v1"

// searchesPath is the file of the mirror.
const searchesPath = "searches"

// searchesName returns the name of the journal's note.
func searchesName(origin string) string { return "log-searches " + origin }

// ErrSearches says that the journal of searches isn't the one that was signed before.
var ErrSearches = telemetry.Constant("the journal of searches isn't the one that was signed before: searches were removed or altered, or it was restored from an older copy, after which habeas reconcile --yes signs it anew; habeas audit names the places")

// errNotSearches says that something isn't a signed end of the journal of searches.
var errNotSearches = errors.New("searches: not signed by the log's key")

// ReadSearches returns the end of the journal of searches as the journal has it signed, and
// MirroredSearches as the mirror has it; a size of 0 where there is none.
func ReadSearches(ctx context.Context, j journal.Notes, v note.Verifier) (journal.SearchHead, error) {
	signed, _, err := j.Note(ctx, searchesName(v.Name()))
	if err != nil {
		return journal.SearchHead{}, err
	}
	return openSearches(signed, v)
}

// MirroredSearches returns the end of the journal of searches as the mirror has it signed.
func MirroredSearches(ctx context.Context, b *blob.Bucket, v note.Verifier) (journal.SearchHead, error) {
	signed, err := newMirror(b, v.Name()).read(ctx, searchesPath)
	if err != nil {
		return journal.SearchHead{}, err
	}
	return openSearches(signed, v)
}

// ErrNotSigned reports whether an error says that what is there wasn't signed by the key.
func ErrNotSigned(err error) bool { return errors.Is(err, errNotSearches) }

func openSearches(signed []byte, v note.Verifier) (h journal.SearchHead, err error) {
	if len(signed) == 0 {
		return h, nil
	}
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return h, errNotSearches
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 5 || lines[0] != formSearches || lines[1] != v.Name() {
		return h, errNotSearches
	}
	if h.Size, err = strconv.ParseInt(lines[2], 10, 64); err != nil {
		return h, errNotSearches
	}
	if h.Chain, err = strict.DecodeString(lines[3]); err != nil {
		return h, errNotSearches
	}
	return h, nil
}

// SignSearches signs the end of the journal of searches, where it goes on from the one that
// was signed before; else it returns [ErrSearches], but for anyway: after a restored
// journal was reconciled it is what there is.
func (l *Log) SignSearches(ctx context.Context, anyway bool) error {
	signed, version, err := l.journal.Note(ctx, searchesName(l.key.Name()))
	if err != nil {
		return err
	}
	last, err := openSearches(signed, l.verifier)
	if err != nil && !anyway {
		return err
	}
	copied, err := l.mirror.read(ctx, searchesPath)
	if err != nil {
		return err
	}
	mirrored, err := openSearches(copied, l.verifier)
	if err != nil && !anyway {
		return err
	}
	now, err := l.journal.SearchHead(ctx)
	if err != nil {
		return err
	}
	for _, known := range []journal.SearchHead{last, mirrored} {
		if on, err := l.searchesGoOn(ctx, known, now); err != nil {
			return err
		} else if !on && !anyway {
			return ErrSearches
		}
	}
	if same := func(h journal.SearchHead) bool { return h.Size == now.Size && bytes.Equal(h.Chain, now.Chain) }; same(last) && same(mirrored) {
		return nil
	}
	text := fmt.Sprintf("%s\n%s\n%d\n%s\n", formSearches, l.key.Name(), now.Size, base64.StdEncoding.EncodeToString(now.Chain))
	if signed, err = note.Sign(&note.Note{Text: text}, l.key); err != nil {
		return fmt.Errorf("log: %w", err)
	}
	if err := l.journal.SetNote(ctx, searchesName(l.key.Name()), signed, version); err != nil {
		return err
	}
	return l.mirror.write(ctx, searchesPath, signed)
}

// searchesGoOn reports whether a journal of searches goes on from an end that is known.
func (l *Log) searchesGoOn(ctx context.Context, known, now journal.SearchHead) (bool, error) {
	if known.Size == 0 {
		return true, nil
	}
	if known.Size > now.Size {
		return false, nil
	}
	link, err := l.journal.SearchLinks(ctx, known.Size, 1)
	return err == nil && len(link) == 1 && link[0].Place == known.Size && bytes.Equal(link[0].Chain, known.Chain), err
}
