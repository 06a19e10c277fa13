package callers

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/journal"
)

const (
	// tokenPrefix begins every token, so that those who look for lost secrets find it.
	tokenPrefix = "habeas_"
	// secretBytes is the length of a token's secret; with it a plain hash will do.
	secretBytes = 32
	// idBytes is the length of what finds a token.
	idBytes = 5
	// MaxTokens bounds how many there are: ended ones are dropped to make room.
	MaxTokens = 1000
	// tokensNote is the journal's note in which the tokens are.
	tokensNote = "callers/tokens"
	// tokensFresh is how long what was read of them is good: a token that was revoked
	// opens nothing after it.
	tokensFresh = 5 * time.Second
	// tokensAgain is how soon they are read again for a token that isn't among them.
	tokensAgain = time.Second
	// tokensTimeout bounds how long a call waits for them, the calls before it included:
	// what hangs behind the journal would hold up every caller.
	tokensTimeout = 5 * time.Second
	// writeTries bounds how often a change is tried that others were faster with.
	writeTries = 20
)

// The errors of changes to tokens.
var (
	ErrNoToken    = telemetry.Constant("there is no such token")
	ErrManyTokens = fmt.Errorf("there are %d tokens that haven't ended; revoke some", MaxTokens)
)

// Notes stores documents by name; the journal does.
type Notes = journal.Notes

// Token is what is known of a token: never the token itself.
type Token struct {
	ID     string    `json:"id"`
	Caller string    `json:"caller"`
	Hash   []byte    `json:"hash,omitempty"` // SHA-256 of the secret
	Made   time.Time `json:"made"`
	By     string    `json:"by"`
	Ends   time.Time `json:"ends"`
	// Revoked is when it was ended before its time; zero: it wasn't.
	Revoked time.Time `json:"revoked,omitzero"`
}

// Good reports whether the token opens the door.
func (t Token) Good(now time.Time) bool { return t.Revoked.IsZero() && now.Before(t.Ends) }

// CreateToken makes a token of a caller, and returns it. It is written down nowhere:
// who loses it makes another.
func CreateToken(ctx context.Context, notes Notes, caller, by string, now, ends time.Time) (token string, _ Token, err error) {
	secret, id := make([]byte, secretBytes), make([]byte, idBytes)
	_, _ = rand.Read(secret) // it doesn't fail
	_, _ = rand.Read(id)
	hash := sha256.Sum256(secret)
	t := Token{ID: letters.EncodeToString(id), Caller: caller, Hash: hash[:], Made: now, By: by, Ends: ends}
	err = change(ctx, notes, func(all []Token) ([]Token, error) {
		var open []Token
		for _, one := range all {
			if len(all) < MaxTokens || one.Good(now) {
				open = append(open, one)
			}
		}
		if len(open) >= MaxTokens {
			return nil, ErrManyTokens
		}
		return append(open, t), nil
	})
	return tokenPrefix + t.ID + "_" + letters.EncodeToString(secret), t, err
}

// letters writes bytes in small letters and digits, none of which is the separator.
var letters = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// RevokeToken ends a token, from now on.
func RevokeToken(ctx context.Context, notes Notes, id string, now time.Time) (revoked Token, err error) {
	err = change(ctx, notes, func(all []Token) ([]Token, error) {
		for i, t := range all {
			if t.ID == id {
				if t.Revoked.IsZero() {
					all[i].Revoked = now
				}
				revoked = all[i]
				return all, nil
			}
		}
		return nil, ErrNoToken
	})
	return revoked, err
}

// ListTokens returns what is known of all tokens, in the order in which they were made.
func ListTokens(ctx context.Context, notes Notes) ([]Token, error) {
	all, _, err := readTokens(ctx, notes)
	return all, err
}

func change(ctx context.Context, notes Notes, f func([]Token) ([]Token, error)) error {
	for range writeTries {
		all, version, err := readTokens(ctx, notes)
		if err != nil {
			return err
		}
		if all, err = f(all); err != nil {
			return err
		}
		data, err := json.Marshal(all)
		if err != nil {
			return err
		}
		if err := notes.SetNote(ctx, tokensNote, data, version); !errors.Is(err, journal.ErrConflict) {
			return err
		}
	}
	return journal.ErrConflict
}

func readTokens(ctx context.Context, notes Notes) (all []Token, version int64, err error) {
	data, version, err := notes.Note(ctx, tokensNote)
	if err != nil || version == 0 {
		return nil, version, err
	}
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, version, fmt.Errorf("callers: the tokens can't be read: %w", err)
	}
	return all, version, nil
}

// cachedTokens keeps the tokens in memory for a while, so that a call of the door
// costs the journal nothing.
type cachedTokens struct {
	notes Notes
	now   func() time.Time

	turn chan struct{} // full while one call looks, and perhaps reads; guards the rest
	read time.Time
	byID map[string]Token
}

func newCachedTokens(notes Notes, now func() time.Time) *cachedTokens {
	return &cachedTokens{notes: notes, now: now, turn: make(chan struct{}, 1)}
}

// owner returns the caller whose token it is; [ErrUnknown] where it is nobody's.
func (c *cachedTokens) owner(ctx context.Context, token string) (string, error) {
	id, text, _ := strings.Cut(strings.TrimPrefix(token, tokenPrefix), "_")
	secret, err := letters.DecodeString(text)
	if err != nil || len(secret) != secretBytes || letters.EncodeToString(secret) != text {
		return "", fmt.Errorf("%w: no token", ErrUnknown)
	}
	t, err := c.find(ctx, id)
	if err != nil {
		return "", err
	}
	hash := sha256.Sum256(secret)
	switch same := subtle.ConstantTimeCompare(hash[:], t.Hash) == 1; {
	case !same:
		return "", fmt.Errorf("%w: no such token", ErrUnknown)
	case !t.Good(c.now()):
		return "", fmt.Errorf("%w: the token has ended, or was revoked", ErrUnknown)
	}
	return t.Caller, nil
}

// find returns a token by its id; the zero one where there is none. It waits for
// [tokensTimeout] at most (TestTokensOfAJournalThatHangs).
func (c *cachedTokens) find(ctx context.Context, id string) (Token, error) {
	ctx, cancel := context.WithTimeout(ctx, tokensTimeout)
	defer cancel()
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return Token{}, fmt.Errorf("callers: the tokens aren't read in time: %w", ctx.Err())
	}
	age := c.now().Sub(c.read)
	if t, ok := c.byID[id]; c.byID != nil && age < tokensFresh && (ok || age < tokensAgain) {
		return t, nil
	}
	all, _, err := readTokens(ctx, c.notes)
	if err != nil {
		return Token{}, err
	}
	c.byID, c.read = make(map[string]Token, len(all)), c.now()
	for _, t := range all {
		c.byID[t.ID] = t
	}
	return c.byID[id], nil
}
