// Package keeper does what Habeas owes to a request that has ended: it issues its
// receipt, and forgets what it holds of it when the time has come.
//
// Forgetting goes in one order, each step of which can be done again: the forgetting is
// written to a list outside of the vault, so that a restored backup of keys can be shredded
// again; the keys are destroyed; the objects are deleted; it is tried to open what there
// was; and then it is journalled, with a leaf of the transparency log.
package keeper

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"gocloud.dev/blob"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/outbox"
	"habeas.dev/services/internal/prints"
	"habeas.dev/services/internal/receipt"
)

// Answers are the answers in the outbox; aggregator.Answers implements it.
type Answers interface {
	// Opens reports whether anything of the answer to a request with so many addenda, as
	// [outbox.OfAnswer] names it, can be opened by whoever has the vault, or is there for others
	// to open.
	Opens(ctx context.Context, requestID string, addenda int) (bool, error)
}

// Journal is what the keeper needs of the journal.
type Journal interface {
	Row(ctx context.Context, requestID string) (journal.Row, error)
	ByFingerprint(ctx context.Context, fingerprint string, limit int) ([]journal.Row, error)
	List(ctx context.Context, f journal.Filter) ([]journal.Row, error)
	ForgetFingerprints(ctx context.Context, requestID string) error
	HeadsLinks(ctx context.Context, from int64, limit int) ([]journal.HeadsLink, error)
}

// Teller sends the notices of a request that are due; recipients.Teller implements it.
type Teller interface {
	Tell(ctx context.Context, requestID string) error
}

// Caller tells the system that a request came from what has become of it;
// callbacks.Callbacks implements it. That the system can't be reached MUST be no error.
type Caller interface {
	CallBack(ctx context.Context, requestID string) error
}

// Keeper does duties. It is safe for use by many goroutines and processes.
type Keeper struct {
	Receipts *receipt.Issuer
	Requests receipt.Requests
	Journal  Journal
	Vault    *vault.Vault
	Answers  Answers
	// Outbox is where answers and letters lie.
	Outbox *blob.Bucket
	// Leave leaves a request's receipt beside its answer, sealed for who asked, and returns
	// its name; nil: no log is signed here, and there is nothing to be proven.
	Leave func(ctx context.Context, requestID string) (object string, err error)
	// Teller tells recipients of data what was changed of it; nil: nobody does.
	Teller Teller
	// Caller tells callers of changes; nil: nobody does.
	Caller Caller
	// List is where forgettings are listed.
	List *List
	Now  func() time.Time
}

func (k *Keeper) prints() prints.Prints { return prints.Prints{Vault: k.Vault, Index: k.Journal} }

// Do implements coordinator.Keeper.
func (k *Keeper) Do(ctx context.Context, requestID string, d core.Duty) error {
	//exhaustive:enforce
	switch d {
	case core.DutyLookBack:
		return k.lookBack(ctx, requestID)
	case core.DutyRelease:
		return k.release(ctx, requestID)
	case core.DutyRecourse:
		return k.recourse(ctx, requestID)
	case core.DutyReceipt:
		return k.Receipts.Issue(ctx, requestID)
	case core.DutyTell:
		if k.Teller == nil {
			return errors.New("nobody here tells recipients")
		}
		return k.Teller.Tell(ctx, requestID)
	case core.DutyForgetCopies:
		return k.forgetCopies(ctx, requestID)
	case core.DutyForgetRecords:
		return k.Forget(ctx, requestID, core.PartRecords, core.ByPolicy, "")
	case core.DutyForgetSubject:
		return k.Forget(ctx, requestID, core.PartSubject, core.ByPolicy, "")
	case core.DutyCallBack:
		if k.Caller == nil {
			return errors.New("nobody here tells callers")
		}
		return k.Caller.CallBack(ctx, requestID)
	case core.DutyLeaveReceipt:
		return k.leaveReceipt(ctx, requestID)
	}
	return fmt.Errorf("keeper: unknown duty %q", d)
}

// leaveReceipt has the person find their receipt beside their answer.
func (k *Keeper) leaveReceipt(ctx context.Context, requestID string) error {
	object := ""
	if k.Leave != nil {
		var err error
		if object, err = k.Leave(ctx, requestID); err != nil {
			return err
		}
	}
	_, err := k.Requests.Do(ctx, requestID, core.LeaveReceipt{Object: object, Now: k.Now()})
	return err
}

// ErrOpens says that something could be opened after its keys were destroyed.
var ErrOpens = telemetry.Constant("something that was to be forgotten can still be opened: see the vault's store for keys")

// Forget forgets a part of what Habeas holds of an ended request. By is who wants it, or
// [core.ByPolicy] where its time had come. Where it is forgotten already, nothing is done.
func (k *Keeper) Forget(ctx context.Context, requestID string, part core.Part, by, reason string) error {
	s, err := k.Requests.State(ctx, requestID)
	if err != nil {
		return err
	}
	if err := s.MayForget(part); err != nil {
		return err
	}
	root := vault.RecordsRoot
	if part == core.PartSubject {
		root = vault.SubjectRoot
	}
	if err := k.List.add(ctx, k.Vault, k.Now(), requestID, root.String()); err != nil {
		return err
	}
	if err := k.Vault.End(ctx, requestID, root); err != nil {
		return err
	}
	if err := k.delete(ctx, s, part); err != nil {
		return err
	}
	tried, err := k.try(ctx, s, part)
	if err != nil {
		return fmt.Errorf("forget request %s: %w", requestID, err)
	}
	c, err := k.Receipts.CommitForgotten(ctx, requestID, part, tried)
	if err != nil {
		return err
	}
	_, err = k.Requests.Do(ctx, requestID, core.Forget{By: by, Reason: reason, Part: part, Tried: tried, Document: c.Document, Salt: c.Salt, Leaf: c.Leaf, Now: k.Now()})
	return err
}

// delete deletes the objects whose keys were destroyed.
func (k *Keeper) delete(ctx context.Context, s core.State, part core.Part) error {
	id := s.Accepted.RequestID
	if part == core.PartRecords {
		for _, scope := range recordScopes(s) {
			if err := k.Vault.DeleteObjects(ctx, id, scope); err != nil {
				return err
			}
		}
		return outbox.DeleteAnswer(ctx, k.Outbox, id, len(s.Addenda))
	}
	// The journal's search comes last: what was begun is found again until it is done.
	if err := k.Vault.Shred(ctx, id); err != nil {
		return err
	}
	// What came of its answer since the records went goes with whom it was about.
	if err := outbox.DeleteAnswer(ctx, k.Outbox, id, len(s.Addenda)); err != nil {
		return err
	}
	if err := k.deleteLetters(ctx, id); err != nil {
		return err
	}
	return k.Journal.ForgetFingerprints(ctx, id)
}

// recordScopes returns what the names of objects begin with that hold records, or the keys
// to them: grants, each of which opens what its task is about.
func recordScopes(s core.State) []string {
	scopes := []string{dsar.Aggregator + "/grant-" + string(dsar.Assemble) + "/"}
	for _, sys := range s.Accepted.Systems {
		scopes = append(scopes, sys.Name+"/"+string(dsar.Gather)+"/", sys.Name+"/grant-"+string(dsar.Gather)+"/")
	}
	return scopes
}

// deleteSent deletes the copies of the letters that the person was written, by their names:
// a list takes as long as there are letters in the outbox. One that was written and not
// journalled goes when whom it was about is forgotten.
func (k *Keeper) deleteSent(ctx context.Context, s core.State) error {
	for _, l := range s.Letters {
		if err := outbox.Delete(ctx, k.Outbox, outbox.LetterName(s.Accepted.RequestID, l.Cause, l.Letter, l.Language)); err != nil {
			return err
		}
	}
	return nil
}

// deleteLetters deletes all copies of letters that lie in the outbox.
func (k *Keeper) deleteLetters(ctx context.Context, requestID string) error {
	list := k.Outbox.List(&blob.ListOptions{Prefix: outbox.Letters + requestID + "."})
	for {
		o, err := list.Next(ctx)
		if o == nil {
			return ended(err)
		}
		if err := outbox.Delete(ctx, k.Outbox, o.Key); err != nil {
			return err
		}
	}
}

// objects returns the names of a part's objects that the facts name.
func objects(s core.State, part core.Part) []string {
	var names []string
	for _, t := range s.Tasks {
		if t.System == dsar.Aggregator || (t.Action == dsar.Gather) != (part == core.PartRecords) {
			continue
		}
		for _, o := range t.End.Objects {
			if !slices.Contains(names, o.Name) {
				names = append(names, o.Name)
			}
		}
	}
	return names
}

// try tries to open what was to be forgotten, as its readers do, and returns how much it
// tried. [ErrOpens] where anything opens.
func (k *Keeper) try(ctx context.Context, s core.State, part core.Part) (tried int, err error) {
	id := s.Accepted.RequestID
	for _, name := range objects(s, part) {
		tried++
		r, err := k.Vault.OpenObject(ctx, id, name)
		if err == nil {
			r.Close()
			return tried, ErrOpens
		}
		if !gone(err) {
			return tried, err
		}
	}
	if part == core.PartRecords {
		opens, err := k.Answers.Opens(ctx, id, len(s.Addenda))
		if opens && err == nil {
			err = ErrOpens
		}
		return tried + 1, err
	}
	sealed := []struct {
		value []byte
		kind  vault.Kind
	}{{s.Accepted.Details, vault.RequestDetails}}
	for _, i := range s.Identifiers {
		sealed = append(sealed, struct {
			value []byte
			kind  vault.Kind
		}{i.Sealed, vault.Identifier})
	}
	keys, err := k.Vault.Keys(ctx, id)
	if err != nil && !gone(err) {
		return tried, err
	}
	for _, v := range sealed {
		if len(v.value) == 0 {
			continue
		}
		tried++
		if keys == nil {
			continue // there is nothing left to open it with
		}
		if _, err := keys.Open(v.value, v.kind); err == nil {
			return tried, ErrOpens
		}
	}
	return tried, nil
}

// gone reports whether an error says that keys or objects are no more.
func gone(err error) bool {
	return errors.Is(err, vault.ErrShredded) || errors.Is(err, vault.ErrNoKeys) || errors.Is(err, vault.ErrNoObject)
}

// forgetCopies has an erasure reach what Habeas holds of the person in other requests:
// records, answers and letters of those that have ended go at once. An answer that nobody has
// fetched stays until its own end, with its letters: the person wants both
// ([core.State.UnfetchedUntil]). That and when they asked stays until its time has
// come. The certificate says all of it.
func (k *Keeper) forgetCopies(ctx context.Context, requestID string) error {
	s, err := k.Requests.State(ctx, requestID)
	if err != nil {
		return err
	}
	others, doubted, err := k.others(ctx, s)
	if err != nil || doubted {
		return err
	}
	var reached, open, unfetched []string
	var until time.Time
	for _, other := range others {
		id := other.Accepted.RequestID
		if !other.Status.Ended() {
			open = append(open, id)
			continue
		}
		if end := other.UnfetchedUntil(k.Now()); !end.IsZero() {
			if unfetched = append(unfetched, id); end.After(until) {
				until = end
			}
			continue
		}
		if err := k.List.add(ctx, k.Vault, k.Now(), id, lettersWord); err != nil {
			return err
		}
		if err := k.deleteSent(ctx, other.State); err != nil {
			return err
		}
		if other.RecordsForgotten.IsZero() {
			if err := k.Forget(ctx, id, core.PartRecords, core.ByPolicy, "erasure "+requestID); err != nil {
				return err
			}
		}
		reached = append(reached, id)
	}
	slices.SortFunc(reached, strings.Compare)
	_, err = k.Requests.Do(ctx, requestID, core.ForgetCopies{Requests: reached, Open: len(open), Unfetched: len(unfetched), Until: until, Now: k.Now()})
	return err
}
