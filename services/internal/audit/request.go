package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/prints"
)

// maxMoves bounds how often a request that changes while it is looked at is read again.
const maxMoves = 10

// look is one look at one request.
type look struct {
	*audit
	first    bool // it is counted and exported
	findings []Finding
}

func (a *look) find(code, request, format string, args ...any) {
	a.findings = append(a.findings, Finding{code, request, fmt.Sprintf(format, args...)})
}

// at looks at a request. What can't be read of it is found, and ends nothing else.
func (a *look) at(ctx context.Context, id string) error {
	row, facts, err := a.read(ctx, id)
	if errors.Is(err, journal.ErrNotFound) {
		a.find("row", id, "Its row was deleted while it was looked at.")
		return nil
	}
	if err == nil {
		err = a.check(ctx, row, facts)
	}
	if errors.Is(err, journal.ErrDamaged) {
		a.find("unreadable", id, "A part of it can't be read: %s.", unreadable(err))
		return nil
	}
	return err
}

// read returns a request's row and facts as they were at one moment.
func (a *look) read(ctx context.Context, id string) (row journal.Row, facts []journal.Fact, err error) {
	for range maxMoves {
		before := row.Version
		if facts, err = a.Journal.Facts(ctx, id, 1); err != nil {
			return row, facts, err
		}
		if row, err = a.Journal.Row(ctx, id); err != nil {
			return row, facts, err
		}
		if n := len(facts); n > 0 && facts[n-1].Version == row.Version || row.Version == before {
			break
		}
	}
	return row, facts, nil
}

// check holds a request's parts against each other.
func (a *look) check(ctx context.Context, row journal.Row, facts []journal.Fact) (err error) {
	if a.first {
		a.facts.Add(int64(len(facts)))
		a.listed(row.RequestID, row.Version)
	}
	if a.first && a.export != nil {
		if err := a.export.request(row, facts); err != nil {
			return err
		}
	}
	id := row.RequestID
	var broken *journal.ChainError
	if err := journal.VerifyHead(row, facts); errors.As(err, &broken) {
		a.find("chain", id, "Its facts were altered: version %d: %s.", broken.Version, broken.Reason)
		return a.leaves(ctx, id, facts, nil)
	}
	if len(facts) == 0 {
		a.find("chain", id, "It has no facts: they were deleted.")
		return a.leaves(ctx, id, facts, nil)
	}
	events := make([]core.Event, len(facts))
	for i, f := range facts {
		if events[i], err = core.Decode(f.Type, f.Data); err != nil {
			a.find("unreadable", id, "Table fact, row %s version %d: its data can't be read, and its hash is right, so it was written so: by a newer version, or by a stranger.", id, f.Version)
			return a.leaves(ctx, id, facts, nil)
		}
	}
	state := core.Fold(events)
	if state.Accepted.RequestID != id || !dsar.ValidRequestID(id) {
		a.find("fact", id, "Its first fact is of request %s: the two were exchanged.", state.Accepted.RequestID)
		return a.leaves(ctx, id, facts, events)
	}
	a.row(row, lifecycle.RowOf(state, facts[len(facts)-1]))
	if err := a.fingerprints(ctx, state, events); err != nil {
		return err
	}
	if err := a.leaves(ctx, id, facts, events); err != nil {
		return err
	}
	if err := a.committed(ctx, id, facts, events); err != nil {
		return err
	}
	if err := a.keys(ctx, state); err != nil {
		return err
	}
	return a.outside(ctx, state, events)
}

// row holds a row against what its facts amount to.
func (a *look) row(row, want journal.Row) {
	// Until the coordinator has looked, which it does at open requests of before v0.2.0.
	if !want.Status.Ended() && slices.Equal(row.Needs, []string{journal.NeedUnknown}) {
		row.Needs = want.Needs
	}
	is, should := reflect.ValueOf(normal(row)), reflect.ValueOf(normal(want))
	for i := range is.NumField() {
		if !reflect.DeepEqual(is.Field(i).Interface(), should.Field(i).Interface()) {
			a.find("row", row.RequestID, "Its row was altered: %s isn't what its facts say.", is.Type().Field(i).Name)
		}
	}
}

// normal returns a row as the journal gives it back.
func normal(r journal.Row) journal.Row {
	r.ReceivedAt, r.DueAt, r.WakeAt, r.UpdatedAt = journal.Time(r.ReceivedAt), journal.Time(r.DueAt), journal.Time(r.WakeAt), journal.Time(r.UpdatedAt)
	if len(r.Waiting) == 0 {
		r.Waiting = nil
	}
	if len(r.Needs) == 0 {
		r.Needs = nil
	}
	return r
}

// fingerprints holds those by which the request is found against its facts. What facts
// hold by fingerprints of the request's own is opened for that; without a vault, or where
// its keys are gone, only how many there are is compared.
func (a *look) fingerprints(ctx context.Context, s core.State, events []core.Event) error {
	id := s.Accepted.RequestID
	is, err := a.Journal.Fingerprints(ctx, id)
	if err != nil {
		return err
	}
	var ids []dsar.Identifier
	var should []string
	if s.SubjectForgotten.IsZero() {
		for _, e := range events {
			found, words := lifecycle.Findable(e)
			ids = append(ids, found...)
			should = append(should, words...)
		}
	}
	own := map[string]bool{} // its own fingerprints
	for _, i := range ids {
		own[i.Fingerprint] = true
	}
	switch {
	case !s.Accepted.OwnPrints:
		for print := range own {
			should = append(should, print)
		}
	case a.Vault != nil:
		across, err := prints.Prints{Vault: a.Vault}.Across(ctx, id, ids)
		if err != nil && !errors.Is(err, vault.ErrCorrupt) { // the keys are looked at below
			return err
		}
		if should = append(should, across...); len(across) == len(ids) {
			break
		}
		fallthrough
	default:
		a.countPrints(id, is, should, len(own))
		return nil
	}
	slices.Sort(should)
	a.comparePrints(id, is, slices.Compact(should))
	return nil
}

// comparePrints names fingerprints that are missing, and that there should be none of.
func (a *look) comparePrints(id string, is, should []string) {
	if slices.ContainsFunc(should, func(p string) bool { return !slices.Contains(is, p) }) {
		a.find("fingerprint", id, "A fingerprint was deleted: it isn't found by every identifier that it has.")
	}
	if slices.ContainsFunc(is, func(p string) bool { return !slices.Contains(should, p) }) {
		a.find("fingerprint", id, "It is found by a fingerprint that isn't of its identifiers, or that was to be forgotten.")
	}
}

// countPrints does what can be done where identifiers can't be opened: their fingerprints
// are as many as they are themselves.
func (a *look) countPrints(id string, is, words []string, identifiers int) {
	n := 0
	for _, p := range is {
		if !strings.Contains(p, ":") {
			n++
		}
	}
	switch {
	case n < identifiers || slices.ContainsFunc(words, func(w string) bool { return strings.Contains(w, ":") && !slices.Contains(is, w) }):
		a.find("fingerprint", id, "A fingerprint was deleted: it isn't found by every identifier that it has.")
	case n > identifiers:
		a.find("fingerprint", id, "It is found by a fingerprint that isn't of its identifiers, or that was to be forgotten.")
	}
}

// leaves holds a request's leaves in the log against its facts; events is nil where those
// can't be believed.
func (a *look) leaves(ctx context.Context, id string, facts []journal.Fact, events []core.Event) error {
	is, err := a.Journal.LeavesOf(ctx, id)
	if err != nil {
		return err
	}
	byVersion := map[int][]byte{}
	for _, l := range is {
		if _, twice := byVersion[l.Version]; twice {
			a.find("leaf", id, "Leaf %d of the log is the second one of its version %d: it was another request's.", l.Index, l.Version)
			continue
		}
		byVersion[l.Version] = l.Data
		if l.Version > len(facts) {
			a.find("leaf", id, "Leaf %d of the log is of its version %d, which isn't there: its last facts were cut off.", l.Index, l.Version)
		}
	}
	for i, e := range events {
		var leaf []byte
		switch e := e.(type) {
		case core.ReceiptIssued:
			leaf = e.Leaf
		case core.Forgotten:
			leaf = e.Leaf
		}
		version := i + 1
		switch got, ok := byVersion[version]; {
		case leaf == nil && ok:
			a.find("leaf", id, "The log has a leaf of its version %d, which has none: leaves were moved.", version)
		case leaf != nil && !ok:
			a.find("leaf", id, "The leaf of its version %d isn't in the log: it was deleted.", version)
		case leaf != nil && !bytes.Equal(leaf, got):
			a.find("leaf", id, "The leaf of its version %d was altered or exchanged in the log.", version)
		}
	}
	return nil
}

// keys holds the vault's keys against what was forgotten, and what wasn't.
func (a *look) keys(ctx context.Context, s core.State) error {
	if a.Vault == nil {
		return nil
	}
	id := s.Accepted.RequestID
	keys, err := a.Vault.Keys(ctx, id)
	records, subject := false, false // they can be opened
	switch {
	case errors.Is(err, vault.ErrShredded):
	case errors.Is(err, vault.ErrNoKeys):
		if s.SubjectForgotten.IsZero() {
			a.find("keys", id, "The vault has no keys of it: they were deleted, or come from a backup that is older.")
		}
		return nil
	case errors.Is(err, vault.ErrCorrupt):
		a.find("keys", id, "Its keys in the vault are damaged, or another request's.")
		return nil
	case err != nil:
		return err
	default:
		records, subject = !keys.Ended(vault.RecordsRoot), !keys.Ended(vault.SubjectRoot)
	}
	if subject == !s.SubjectForgotten.IsZero() {
		a.find("keys", id, "%s", opens(subject, "whom it was about"))
	}
	if records == s.RecordsEnded {
		a.find("keys", id, "%s", opens(records, "records and answer"))
	}
	return nil
}

// opens says what is wrong with what opens, or doesn't.
func opens(does bool, what string) string {
	if does {
		return fmt.Sprintf("It was journalled that %s were forgotten, and the keys are there: restored from a backup, perhaps.", what)
	}
	return fmt.Sprintf("The keys of %s are destroyed, and no fact says so.", what)
}
