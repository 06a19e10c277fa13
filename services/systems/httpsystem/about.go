package httpsystem

import (
	"context"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// contract is the version of what is spoken.
const contract = 1

// checkEvery is how long what a service said of itself holds.
const checkEvery = time.Minute

// about is what a service says of itself.
type about struct {
	Contract int      `json:"contract"`
	System   string   `json:"system"`
	Actions  []string `json:"actions"`
	// Notes are sentences for support agents: a column that it doesn't know what to do
	// with.
	Notes []string `json:"notes"`
}

// check asks the service what it is, where it wasn't asked for a minute, and holds that
// against the manifest. Its error is one of package worker.
func (s *System) check(ctx context.Context) error {
	now := s.config.Now()
	s.mu.Lock()
	fresh := !s.checked.IsZero() && now.Sub(s.checked) < checkEvery
	s.mu.Unlock()
	if fresh {
		return nil
	}
	var said about
	if err := s.get(ctx, s.config.Manifest.System+"."+now.UTC().Format("20060102T150405Z"), &said); err != nil {
		return vendorapi.Deferred(err)
	}
	if wrong := s.holds(said); wrong != "" {
		return worker.Permanent(codeNotSetUp, "the service isn't what the manifest says: "+wrong, nil)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.about, s.checked = said, now
	return nil
}

// holds returns what of a service isn't as its manifest says; "" where all is.
func (s *System) holds(said about) string {
	m := s.config.Manifest
	switch {
	case said.Contract != contract:
		return "it speaks another version of the contract than 1"
	case said.System != m.System:
		return "it is another system's; this one is " + m.System
	}
	var missing []string
	for _, a := range m.Abilities {
		for _, action := range actionsOf(a) {
			if !slices.Contains(said.Actions, action) {
				missing = append(missing, action)
			}
		}
	}
	if len(missing) > 0 {
		return "it doesn't " + strings.Join(missing, ", ")
	}
	return ""
}

// actionsOf returns the calls that an ability takes.
func actionsOf(a dsar.Action) []string {
	if a == dsar.Erase {
		return []string{"plan", "erase", "prove"}
	}
	return []string{string(a)}
}

// Notes implements worker.Noter.
func (s *System) Notes() []worker.Note {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []worker.Note
	for _, text := range s.about.Notes {
		out = append(out, worker.Note{Cause: dsar.Cause{Code: "service-note"}, Text: text})
	}
	return out
}
