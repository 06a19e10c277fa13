package receipt

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/journal"
)

// Witness cosigns checkpoints: its word that it saw this log only ever grow
// (c2sp.org/tlog-witness).
type Witness struct {
	url    string
	client *http.Client
}

// witnessTime bounds one call of a witness.
const witnessTime = 10 * time.Second

// NewWitness returns a witness by its URL, to which add-checkpoint is appended.
func NewWitness(url string) *Witness {
	return &Witness{strings.TrimSuffix(url, "/"), &http.Client{Timeout: witnessTime}}
}

// maxCosignatures bounds a witness's answer: a few signatures.
const maxCosignatures = 64 << 10

// cosign returns the lines that a witness adds to a checkpoint. old is the size that it
// has most likely seen last.
func (w *Witness) cosign(ctx context.Context, l *Log, c Checkpoint, old int64) ([]byte, error) {
	for range 2 {
		lines, known, err := w.add(ctx, l, c, old)
		if !errors.Is(err, errOtherSize) {
			return lines, err
		}
		if old = known; old > c.Size {
			return nil, fmt.Errorf("%w (a witness has seen %d leaves)", ErrForked, old)
		}
	}
	return nil, fmt.Errorf("witness: %w", errOtherSize)
}

var errOtherSize = telemetry.Constant("it has seen the log at another size")

// add asks once; known is the size that the witness has seen, with errOtherSize.
func (w *Witness) add(ctx context.Context, l *Log, c Checkpoint, old int64) (lines []byte, known int64, err error) {
	var body bytes.Buffer
	fmt.Fprintf(&body, "old %d\n", old)
	if old > 0 && old < c.Size {
		proof, err := tlog.ProveTree(c.Size, old, journal.HashReader(ctx, l.journal))
		if err != nil {
			return nil, 0, fmt.Errorf("log: %w", err)
		}
		for _, h := range proof {
			fmt.Fprintln(&body, base64.StdEncoding.EncodeToString(h[:]))
		}
	}
	body.WriteByte('\n')
	body.Write(c.Signed)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+"/add-checkpoint", &body)
	if err != nil {
		return nil, 0, fmt.Errorf("witness: %w", err)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return nil, 0, fmt.Errorf("witness: %w; receipts wait for it", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxCosignatures))
	if err != nil {
		return nil, 0, fmt.Errorf("witness: %w", err)
	}
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusConflict:
		known, err := strconv.ParseInt(strings.TrimSpace(string(answer)), 10, 64)
		if err != nil {
			return nil, 0, errors.New("witness: it answers 409 without the size that it knows")
		}
		return nil, known, errOtherSize
	default:
		return nil, 0, fmt.Errorf("witness: it answers %d; receipts wait for it", resp.StatusCode)
	}
	// What it adds MUST be signature lines of this note, and no second note.
	if _, err := note.Open(append(bytes.Clone(c.Signed), answer...), note.VerifierList(l.verifier)); err != nil || !bytes.HasPrefix(answer, []byte("— ")) {
		return nil, 0, errors.New("witness: its answer isn't a signature")
	}
	return answer, 0, nil
}
