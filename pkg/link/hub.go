package link

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/vault"
)

// Keys finds the key of a system's link; [ErrNoKey] where there is none.
type Keys interface {
	Key(system string) (*Key, error)
}

// Hub is the coordinator's end of all links: it seals tasks, with their grants, and opens
// reports. It is safe for many goroutines, and many processes may have one each: what
// they seal is the same but for its time.
type Hub struct {
	vault   *vault.Vault
	keys    Keys
	now     func() time.Time
	holds   Holds   // nil: none
	formers Formers // nil: none
	// before tells which requests' facts hold fingerprints across requests; nil: none's.
	before Before
	// secret is of nonces. They are computed and not kept, so that neither the journal
	// nor whoever decides needs randomness.
	secret []byte
}

// NewHub returns a hub on a vault.
func NewHub(v *vault.Vault, keys Keys, now func() time.Time, opts ...HubOption) *Hub {
	h := &Hub{vault: v, keys: keys, now: now, secret: v.Secret("task nonces")}
	for _, opt := range opts {
		opt(h)
	}
	return h
}

// nonce returns the nonce of an attempt: the same whenever it is asked for.
func (h *Hub) nonce(e Envelope) []byte {
	m := hmac.New(sha256.New, h.secret)
	for _, part := range []string{e.RequestID, e.System, string(e.Action), strconv.Itoa(e.Attempt)} {
		m.Write(append([]byte(part), 0)) // never fails
	}
	return m.Sum(nil)[:16]
}

// order is what the hub needs to know of a task as the journal has it: for the
// aggregator's, of the answer too.
type order struct {
	dsar.Task
	Answer *struct {
		Systems []struct {
			Ends []struct {
				Action  dsar.Action   `json:"action"`
				Objects []dsar.Object `json:"objects"`
			} `json:"ends"`
		} `json:"systems"`
	} `json:"answer"`
}

// SealTask returns the data of a task as its worker is sent it, of the task as the
// journal has it, and puts its grant into the vault. Sealed again it is good for longer,
// and otherwise the same. [ErrNoKey] where its system has no link; any other error says
// that the vault couldn't be asked.
func (h *Hub) SealTask(ctx context.Context, data []byte) ([]byte, error) {
	var o order
	if err := json.Unmarshal(data, &o); err != nil {
		return nil, errors.New("link: a task of the journal can't be read")
	}
	about := Envelope{RequestID: o.RequestID, System: o.System, Action: o.Action, Attempt: o.Attempt}
	key, err := h.keys.Key(o.System)
	if err != nil {
		return nil, fmt.Errorf("link: tasks of %s: %w", o.System, err)
	}
	t := Task{Data: data, Nonce: h.nonce(about), Expires: h.now().Add(max(o.Lease, minLife)).UTC()}
	if o.System != dsar.Aggregator {
		bare := o.Task
		bare.Identifiers, bare.Details = nil, nil
		if t.Data, err = json.Marshal(bare); err != nil {
			return nil, fmt.Errorf("link: %w", err)
		}
	}
	switch t.Grant, err = h.grant(ctx, o); {
	case errors.Is(err, vault.ErrShredded):
		t.Lost = LostShredded
	case errors.Is(err, vault.ErrNoKeys):
		t.Lost = LostNoKeys
	case errors.Is(err, errUnreadable):
		t.Lost = LostUnreadable
	case errors.Is(err, errHeldLost):
		t.Lost = LostHeld
	case errors.Is(err, errFormerLost):
		t.Lost = LostFormer
	case err != nil:
		return nil, fmt.Errorf("link: grant of request %s: %w", o.RequestID, err)
	}
	do := t.Data
	t.Data = nil
	plain, err := joined(do, t)
	if err != nil {
		return nil, err
	}
	return key.sealed(about, toWorker, plain)
}

// Together returns a Hub for tasks that leave together: whom holds concern is looked up once
// for all of them, when the first is sealed. It MUST NOT be used for later ones.
func (h *Hub) Together() *Hub {
	together := *h
	if h.holds != nil {
		together.holds = h.holds.Together()
	}
	return &together
}

// minLife is how long a task is good at least: a worker that was restarted gets to it.
const minLife = 5 * time.Minute

// errUnreadable says that what the journal has sealed of a request doesn't open.
var errUnreadable = telemetry.Constant("an identifier doesn't open with its request's keys")

// grant puts what a task's worker may open into the vault.
func (h *Hub) grant(ctx context.Context, o order) (GrantRef, error) {
	keys, err := h.vault.Keys(ctx, o.RequestID)
	if err != nil {
		return GrantRef{}, err
	}
	own, err := keys.ObjectKey(grantScope(o.System, o.Action, o.Attempt))
	if err != nil {
		return GrantRef{}, err
	}
	g := Grant{Objects: map[string][]byte{}}
	if o.System == dsar.Aggregator {
		g.Values = map[string][]byte{}
		for _, which := range []vault.Root{vault.SubjectRoot, vault.RecordsRoot} {
			g.Values[which.String()] = keys.Values(which)
		}
	} else if err := g.open(keys, o.Task); err != nil {
		return GrantRef{}, err
	}
	if g.Held, err = h.held(ctx, o.Task); err != nil {
		return GrantRef{}, err
	}
	if g.Formers, err = h.former(ctx, o.Task, keys); err != nil {
		return GrantRef{}, err
	}
	for _, scope := range o.scopes() {
		k, err := keys.ObjectKey(scope)
		switch {
		case errors.Is(err, vault.ErrShredded):
			continue // the worker hears of it where it needs it
		case err != nil:
			return GrantRef{}, err
		}
		g.Objects[scope] = k.Secret()
	}
	return writeGrant(ctx, h.vault.Objects, own, g)
}

// open opens what a system is asked by.
func (g *Grant) open(keys *vault.Keys, t dsar.Task) error {
	for _, id := range t.Identifiers {
		value, err := keys.Open(id.Sealed, vault.Identifier)
		if err != nil {
			return unreadable(err)
		}
		g.Identifiers = append(g.Identifiers, Identifier{Type: id.Type, Value: string(value), Assurance: id.Assurance, FoundBy: id.FoundBy, Print: id.Fingerprint})
	}
	if len(t.Details) > 0 {
		details, err := keys.Open(t.Details, vault.RequestDetails)
		if err != nil {
			return unreadable(err)
		}
		if g.Details, err = ofSystem(details, t.System); err != nil {
			return errUnreadable
		}
	}
	return nil
}

// ofSystem leaves out of a request's details the corrections that are another system's.
func ofSystem(details []byte, system string) ([]byte, error) {
	var d event.Details
	if err := json.Unmarshal(details, &d); err != nil {
		return nil, err
	}
	d.Corrections = slices.DeleteFunc(d.Corrections, func(c event.Correction) bool { return c.System != "" && c.System != system })
	return json.Marshal(d)
}

func unreadable(err error) error {
	if errors.Is(err, vault.ErrCorrupt) {
		return errUnreadable
	}
	return err
}

// scopes returns the scopes of the objects that a task's worker opens or writes: its own
// attempt's, its plan's, and with the aggregator those of all that was gathered or corrected.
func (o order) scopes() []string {
	scopes := []string{Scope(o.System, o.Action, o.Attempt)}
	if o.Plan != nil {
		scopes = append(scopes, vault.ScopeOf(o.Plan.Name))
	}
	for _, object := range o.Earlier {
		scopes = append(scopes, vault.ScopeOf(object.Name))
	}
	if o.Answer == nil {
		return scopes
	}
	for _, s := range o.Answer.Systems {
		for _, end := range s.Ends {
			if end.Action != dsar.Gather && end.Action != dsar.Rectify {
				continue
			}
			for _, object := range end.Objects {
				scopes = append(scopes, vault.ScopeOf(object.Name))
			}
		}
	}
	return scopes
}

// OpenReport opens a report that came: it MUST be sealed by the link key of the system
// that it says to be of, and repeat the nonce of the task that it says to be of. What it
// has of the person comes sealed by the request's own keys, and fingerprinted, as the
// journal has it. An error that is none of [ErrNotSealed], [ErrNonce], [ErrNotPlain] and
// [ErrNoKey] says that the vault couldn't be asked. With ErrNotPlain the report says of which
// attempt it is, and nothing else, where it is that attempt's worker's all the same, which repeats the nonce.
// With any other error, and from anybody else, it is zero: what somebody wrote into it counts for nothing.
func (h *Hub) OpenReport(ctx context.Context, e Envelope) (dsar.Report, error) {
	key, err := h.keys.Key(e.System)
	if err != nil {
		return dsar.Report{}, err
	}
	sealed, err := key.openReport(e)
	if err != nil {
		return dsar.Report{}, err
	}
	repeats := hmac.Equal(sealed.Nonce, h.nonce(e))
	var r dsar.Report
	err = json.Unmarshal(sealed.Data, &r)
	switch {
	case err == nil && r.RequestID == e.RequestID && r.System == e.System && r.Action == e.Action && r.Attempt == e.Attempt:
	case repeats:
		return dsar.Report{RequestID: e.RequestID, System: e.System, Action: e.Action, Attempt: e.Attempt}, ErrNotPlain
	default:
		return dsar.Report{}, ErrNotPlain
	}
	if r.Kind != dsar.ReportRefused && !repeats {
		return dsar.Report{}, ErrNonce
	}
	if err := h.sealPersonal(ctx, &r); err != nil {
		return dsar.Report{}, err
	}
	return r, nil
}

// sealPersonal seals what a report has of the person by the request's own keys. Where
// these are gone, it is dropped: nobody could read it. Identifiers that the worker itself
// says to be sealed and fingerprinted are dropped as well: only who opens a report makes
// any (TestWorkersMakeNoFingerprints).
func (h *Hub) sealPersonal(ctx context.Context, r *dsar.Report) error {
	r.Identifiers = nil
	words, found := takeWords(r), r.Found
	if r.Found = nil; words == nil && len(found) == 0 {
		return nil
	}
	keys, err := h.vault.Keys(ctx, r.RequestID)
	if errors.Is(err, vault.ErrShredded) || errors.Is(err, vault.ErrNoKeys) {
		return nil
	}
	if err != nil {
		return err
	}
	if words != nil {
		if r.Detail, err = keys.Seal(words, vault.ReportDetail); err != nil && !errors.Is(err, vault.ErrShredded) {
			return err
		}
	}
	print, err := h.printer(ctx, r.RequestID, keys)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, f := range found {
		id := dsar.Identifier{Type: f.Type, Assurance: dsar.AssuranceFound}
		if id.Fingerprint, err = print(f.Type, f.Value); err == nil && f.From != "" {
			id.From, err = print(f.FromType, f.From)
		}
		if errors.Is(err, vault.ErrShredded) {
			return nil
		}
		if err != nil {
			return err
		}
		if seen[id.Fingerprint] {
			continue
		}
		seen[id.Fingerprint] = true
		id.Sealed, err = keys.Seal([]byte(f.Value), vault.Identifier)
		if errors.Is(err, vault.ErrShredded) {
			return nil
		}
		if err != nil {
			return err
		}
		r.Identifiers = append(r.Identifiers, id)
	}
	return nil
}
