package main

import (
	"context"
	"fmt"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/journal"
)

// requestFlags say which request a command is about, and of which installation.
type requestFlags struct {
	installationFlags
	ID string `arg:"" help:"The request: its id, or enough of its first letters to tell it from others."`
}

// openRequest opens the installation and returns the request's id in full.
func (f requestFlags) openRequest(ctx context.Context) (*installation.Installation, string, error) {
	in, err := f.openToAct(ctx)
	if err != nil {
		return nil, "", err
	}
	id, err := findRequest(ctx, in.Journal, f.ID)
	if err != nil {
		_ = in.Close() // nothing was written
		return nil, "", err
	}
	return in, id, nil
}

// act applies a command of the core to the request.
func (f requestFlags) act(ctx context.Context, c core.Command) (core.State, error) {
	in, id, err := f.openRequest(ctx)
	if err != nil {
		return core.State{}, err
	}
	defer in.Close()
	return do(ctx, in, id, c)
}

const (
	// minPrefix is the least that is taken for the beginning of an id: in a journal of
	// fifty thousand requests, four letters are one of them at the median.
	minPrefix = 4
	// shortID is how much of an id is printed where a person types it.
	shortID = 8
	// maxAlike is how many requests are named that begin alike.
	maxAlike = 5
)

// findRequest returns the id of the request that somebody means: a whole id, which
// needn't be known, or the first letters of one that is.
func findRequest(ctx context.Context, requests journal.Lister, typed string) (string, error) {
	if id, ok := dsar.ReadRequestID(typed); ok {
		return id, nil
	}
	prefix := strings.ToLower(strings.TrimSpace(typed))
	if len(prefix) < minPrefix || strings.Trim(prefix, "0123456789abcdef-") != "" {
		return "", fmt.Errorf("%q is no request's id; habeas requests lists them, and at least %d of an id's first letters stand for it", typed, minPrefix)
	}
	rows, err := requests.List(ctx, journal.Filter{IDPrefix: prefix, Limit: maxAlike + 1})
	switch {
	case err != nil:
		return "", err
	case len(rows) == 0:
		return "", about(prefix, core.ErrUnknown)
	case len(rows) == 1:
		return rows[0].RequestID, nil
	}
	var alike []string
	for _, r := range rows[:min(len(rows), maxAlike)] {
		alike = append(alike, r.RequestID)
	}
	if len(rows) > maxAlike {
		alike = append(alike, "…")
	}
	return "", fmt.Errorf("several requests begin with %s: %s; write more of the one that you mean", prefix, strings.Join(alike, ", "))
}
