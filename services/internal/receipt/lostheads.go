package receipt

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"habeas.dev/services/internal/journal"
)

// LostHeads is what a person has agreed to have lost of the list of heads, when a journal that was
// restored from an older copy was reconciled.
type LostHeads struct {
	Has    int64 `json:"places"` // of the list
	Signed int64 `json:"signed"`
	// Unread is how many of the places that it lacked named requests that nobody knows.
	Unread int64 `json:"unread,omitempty"`
	// Requests is how many requests were named that lack facts.
	Requests int `json:"requests"`
	// From and Until are between when what is lost was journalled; zero: unknown.
	From  time.Time `json:"from,omitzero"`
	Until time.Time `json:"until,omitzero"`
	At    time.Time `json:"at"`
	// By is who has confirmed since that it was looked for what is lost, and why that is all;
	// empty: nobody.
	By        string    `json:"confirmed_by,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	Confirmed time.Time `json:"confirmed_at,omitzero"`
}

// formLostHeads is the first line of what is signed.
const formLostHeads = "habeas.dev/lost-heads/v1"

func lostHeadsName(origin string) string { return "log-heads-lost " + origin }

// ReadLostHeads returns what was lost of the list of heads, the newest last; nil where that is
// nothing, or wasn't signed by the log's key.
func ReadLostHeads(ctx context.Context, j journal.Notes, v note.Verifier) ([]LostHeads, error) {
	signed, _, err := j.Note(ctx, lostHeadsName(v.Name()))
	if err != nil {
		return nil, err
	}
	return openLostHeads(signed, v), nil
}

func openLostHeads(signed []byte, v note.Verifier) (all []LostHeads) {
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return nil
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 2 || lines[0] != formLostHeads || lines[1] != v.Name() {
		return nil
	}
	for _, line := range lines[2:] {
		var h LostHeads
		if json.Unmarshal([]byte(line), &h) == nil {
			all = append(all, h)
		}
	}
	return all
}

// SignLostHeads signs what was lost of the list of heads, beside what was before. One of the same
// end, whose signing broke off, is replaced.
func (l *Log) SignLostHeads(ctx context.Context, lost LostHeads) error {
	return l.changeLostHeads(ctx, func(all []LostHeads) []LostHeads {
		if n := len(all); n > 0 && all[n-1].Signed == lost.Signed && all[n-1].By == "" {
			all = all[:n-1]
		}
		return append(all, lost)
	})
}

// ConfirmLostHeads signs that somebody has looked for what was lost, and returns how many losses
// nobody had confirmed.
func (l *Log) ConfirmLostHeads(ctx context.Context, by, reason string, at time.Time) (n int, err error) {
	err = l.changeLostHeads(ctx, func(all []LostHeads) []LostHeads {
		n = 0
		for i := range all {
			if all[i].By == "" {
				all[i].By, all[i].Reason, all[i].Confirmed = by, reason, at.UTC()
				n++
			}
		}
		return all
	})
	return n, err
}

func (l *Log) changeLostHeads(ctx context.Context, change func([]LostHeads) []LostHeads) error {
	name := lostHeadsName(l.key.Name())
	signed, version, err := l.journal.Note(ctx, name)
	if err != nil {
		return err
	}
	all := change(openLostHeads(signed, l.verifier))
	text := ""
	for i := len(all) - 1; i >= 0; i-- { // the oldest go where a note is too long
		line, err := json.Marshal(all[i])
		if err != nil {
			return err
		}
		if len(text)+len(line) > journal.MaxNote-maxSignature-len(formLostHeads)-len(l.key.Name()) {
			break
		}
		text = string(line) + "\n" + text
	}
	if text == "" {
		return nil
	}
	if signed, err = note.Sign(&note.Note{Text: formLostHeads + "\n" + l.key.Name() + "\n" + text}, l.key); err != nil {
		return fmt.Errorf("log: %w", err)
	}
	return l.journal.SetNote(ctx, name, signed, version)
}
