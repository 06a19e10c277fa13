package letters

import (
	"context"
	"fmt"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/prints"
)

// MaxPerDay is how many letters are mailed to one address within a day, about all its
// requests together: whoever asks in somebody's name can't have them flooded. What is
// more stays in the outbox. Those about requests in which the address is verified or proven
// are counted by themselves: what strangers claim takes nothing from the person.
const MaxPerDay = 10

// maxLookedAt bounds how many of an address's latest requests are looked at.
const maxLookedAt = 100

// ErrOften says that as many letters were mailed to an address as may be in a day.
var ErrOften = telemetry.Constant("the address had as many letters within a day as may be")

// Earlier finds requests by the person's fingerprint; the journal does.
type Earlier interface {
	ByFingerprint(ctx context.Context, fingerprint string, limit int) ([]journal.Row, error)
}

// addressee returns the e-mail identifier that the person is written to: one that is
// proven or verified, where there is one, and never one that a system found.
func addressee(s core.State) (given dsar.Identifier, ok bool) {
	for _, id := range s.Identifiers {
		if id.Type == "email" && id.FoundBy == "" && (!ok || given.Assurance == dsar.AssuranceClaimed && id.Assurance != dsar.AssuranceClaimed) {
			given, ok = id, true
		}
	}
	return given, ok
}

// often returns ErrOften where the addressee had as many letters within a day as may be.
func (l *Letters) often(ctx context.Context, s core.State) error {
	to, ok := addressee(s)
	if l.Earlier == nil || !ok {
		return nil
	}
	all := prints.Prints{Vault: l.Vault}
	value, known, err := all.Value(ctx, s.Accepted.RequestID, to)
	if err != nil || !known {
		return err
	}
	rows, err := l.Earlier.ByFingerprint(ctx, l.Vault.Fingerprint(to.Type, value), maxLookedAt)
	if err != nil {
		return fmt.Errorf("earlier letters: %w", err)
	}
	since, n := l.Now().Add(-24*time.Hour), 0
	for _, row := range rows {
		if row.UpdatedAt.Before(since) { // a letter is a fact: nothing was sent since
			continue
		}
		state, err := l.Requests.State(ctx, row.RequestID)
		if err != nil {
			return fmt.Errorf("request %s: %w", row.RequestID, err)
		}
		other, _ := addressee(state)
		if to.Assurance != dsar.AssuranceClaimed && other.Assurance == dsar.AssuranceClaimed {
			continue
		}
		if same, err := all.Among(ctx, state, []dsar.Identifier{other}, to.Type, value); err != nil {
			return err
		} else if !same {
			continue
		}
		for _, sent := range state.Letters {
			if sent.Channel == core.ChannelMail && sent.At.After(since) {
				n++
			}
		}
	}
	if n >= MaxPerDay {
		return ErrOften
	}
	return nil
}
