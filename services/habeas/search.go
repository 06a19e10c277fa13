package main

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"

	"habeas.dev/pkg/identifier"
	"habeas.dev/services/console"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/journal"
)

// fromStdin is what an argument says whose value is read from standard input instead: a list
// of processes shows arguments, and a shell keeps them.
const fromStdin = "-"

// searchFor returns the requests of the person with an address, and writes down that
// somebody searched, as the console does: before anything is shown.
func searchFor(ctx context.Context, in *installation.Installation, email string, list func(journal.Filter) ([]journal.Row, error)) ([]journal.Row, error) {
	if email == fromStdin {
		var err error
		if email, err = readValue(os.Stdin); err != nil {
			return nil, err
		}
		if email == "" {
			return nil, errors.New("nothing came by standard input: write the address there")
		}
	}
	rows, err := list(journal.Filter{Fingerprint: in.Vault.Fingerprint("email", email)})
	if err != nil {
		return nil, err
	}
	return rows, in.Journal.AddSearch(ctx, journal.Search{At: now(), By: who(ctx), Hash: console.SearchHash(in.Vault, email), Found: len(rows)})
}

// readValue reads one value, which ends with a line or with the input.
func readValue(in io.Reader) (string, error) {
	text, err := io.ReadAll(io.LimitReader(in, 4<<10))
	return identifier.Trim(strings.TrimRight(string(text), "\r\n")), err
}
