package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"gocloud.dev/blob"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/internal/callbacks"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/keeper"
	"habeas.dev/services/internal/outbox"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/receipt"
	"habeas.dev/services/internal/reconcile"
	"habeas.dev/services/internal/signkey"
)

// endAgain has what was forgotten stay so where the vault's keys come from a backup: a
// coordinator shreds it again before anything else starts, and what opens keys without one
// doesn't start before it has.
func (n *Node) endAgain(ctx context.Context, r Roles) error {
	if !r.Coordinator {
		if !r.Letters && !r.Console {
			return nil // it opens nothing
		}
		return CheckRestored(ctx, n.Installation)
	}
	mirror, err := installation.OpenMirror(ctx, n.Config)
	if err != nil {
		return err
	}
	n.onStop(mirror.Close)
	n.mirror = mirror
	again, forged, err := keeper.NewList(mirror).Again(ctx, n.Installation.Vault, keeper.JournalledBy(n.Installation.Requests), now())
	if err != nil {
		return fmt.Errorf("what was forgotten can't be looked up, so nothing is opened: %w", err)
	}
	if forged > 0 {
		n.log.Error("the list of what was forgotten has entries that nobody of ours has written: nothing was shredded by them; see who writes to the mirror", "entries", forged)
	}
	if again > 0 {
		n.log.Info("what was forgotten lately is shredded again", "keys", again)
	}
	return n.sweepOutbox(ctx)
}

// sweepEvery is how often the outbox is held against what was forgotten: one may be restored
// while coordinators run.
const sweepEvery = time.Hour

// sweepOutbox deletes from the outbox what was forgotten and has come back.
func (n *Node) sweepOutbox(ctx context.Context) error {
	swept, err := NewKeeper(n.Installation, n.mirror).SweepOutbox(ctx)
	if err != nil {
		return fmt.Errorf("the outbox can't be held against what was forgotten: %w", err)
	}
	if swept > 0 {
		n.log.Warn("the outbox had letters or answers that were forgotten, as one from a backup has: they are deleted again", "requests", swept)
	}
	return nil
}

// unfinished deletes from the outbox what processes that were killed left half written, at the
// start and once a day.
func (n *Node) unfinished(ctx context.Context) error {
	every := time.NewTicker(outbox.UnfinishedFor)
	defer every.Stop()
	for {
		if gone, err := outbox.DeleteUnfinished(ctx, n.Installation.Outbox, now()); err != nil && ctx.Err() == nil {
			n.log.Error("the outbox may have halves of answers", "error", err)
		} else if gone > 0 {
			n.log.Info("the outbox had what was left half written; it is deleted", "count", gone)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
		}
	}
}

// sweepsOutbox does so now and then.
func (n *Node) sweepsOutbox(ctx context.Context) error {
	every := time.NewTicker(sweepEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
			if err := n.sweepOutbox(ctx); err != nil && ctx.Err() == nil {
				n.log.Error("forgotten letters may lie in the outbox", "error", err)
			}
		}
	}
}

// restoredTime bounds the look at the mirror before keys are opened.
const restoredTime = time.Minute

// CheckRestored returns [keeper.ErrRestored] where the vault's keys come from a backup and
// no coordinator has started since, and a [reconcile.DueError] where the journal does and
// wasn't reconciled.
func CheckRestored(ctx context.Context, in *installation.Installation) error {
	if err := reconcile.Due(ctx, in.Journal); err != nil {
		return err
	}
	if _, err := os.Stat(in.Config.Receipts.Mirror); errors.Is(err, fs.ErrNotExist) && !strings.Contains(in.Config.Receipts.Mirror, "://") {
		return nil // no coordinator has ever started with it
	}
	ctx, cancel := context.WithTimeout(ctx, restoredTime)
	defer cancel()
	mirror, err := installation.OpenMirror(ctx, in.Config)
	if err != nil {
		return err
	}
	defer func() { _ = mirror.Close() }() // it was only read
	if err := keeper.NewList(mirror).Check(ctx, in.Vault, time.Now()); err != nil {
		return fmt.Errorf("receipts.mirror: %w", err)
	}
	return nil
}

// keeper returns what issues receipts and forgets, and starts the log of receipts.
func (n *Node) keeper(ctx context.Context, book *policy.Book, create bool) (_ *keeper.Keeper, err error) {
	mirror := n.mirror
	k := NewKeeper(n.Installation, mirror)
	if k.Teller, err = n.teller(); err != nil {
		return nil, err
	}
	calls, err := callbacks.New(callbacks.Config{Requests: n.Installation.Requests, Callbacks: n.Config.Callbacks(), Local: book.Local, Meters: n.tel.Meters(), Now: now, Log: n.log})
	if err != nil {
		return nil, fmt.Errorf("callers: %w", err)
	}
	k.Caller = calls
	n.onceReconciled("outbox", n.sweepsOutbox)
	n.onceReconciled("unfinished", n.unfinished)
	n.onceReconciled("rejected", func(ctx context.Context) error {
		return k.RunRejected(ctx, func(err error) { n.log.Error("keys of rejected records weren't destroyed", "error", err) })
	})
	n.onceReconciled("untaken", func(ctx context.Context) error {
		since := func(ctx context.Context) (time.Time, error) { return reconcile.LastDone(ctx, n.Installation.Journal) }
		return k.RunUntaken(ctx, since, func(count int, err error) {
			if count > 0 {
				n.log.Info("requests came and were never taken in; their keys are destroyed", "count", count)
			}
			if err != nil {
				n.log.Error("keys of requests that were never taken in may be left", "error", err)
			}
		})
	})
	log, err := installation.OpenLog(n.Config, n.Installation.Journal, mirror, create)
	if err != nil {
		return nil, err
	}
	if log == nil {
		n.log.Warn("receipts aren't signed: there is no key; make one with habeas keys init, and name it by receipts.log_key", "file", telemetry.Safe(n.Config.Receipts.LogKey))
		n.onceReconciled("heads", func(ctx context.Context) error { return receipt.RunHeads(ctx, n.Installation.Journal, n.log) })
		return k, nil
	}
	// One that lacks what was signed waits for a person, who has it taken in (habeas reconcile).
	if _, err := log.Publish(ctx); err != nil {
		n.log.Error("the log of receipts isn't published", "error", err)
	}
	key, err := installation.OpenSigningKey(n.Config, signkey.Log, false)
	if err != nil {
		return nil, err
	}
	in := n.Installation
	identity := func(ctx context.Context, requestID string) (string, error) {
		text, err := aggregator.OpenIdentity(ctx, in.Vault, in.Outbox, requestID)
		if errors.Is(err, aggregator.ErrNoIdentity) {
			err = nil // who asked opens it by their own
		}
		return text, err
	}
	k.Leave = receipt.Handing{Requests: in.Requests, Journal: in.Journal, Vault: in.Vault, Log: log, Outbox: in.Outbox, Identity: identity,
		Key: key.Verifier, Policy: book, Languages: n.languages}.Leave
	n.onceReconciled("log", func(ctx context.Context) error { return log.Run(ctx, n.log) })
	return k, nil
}

// keepOf returns how long the configuration has requests kept.
func keepOf(c config.Config) *core.Keep {
	return &core.Keep{AnswerDays: c.Keep.AnswerDays, AccountabilityMonths: c.Keep.AccountabilityMonths, BackupDays: c.Keep.BackupDays}
}

// NewKeeper returns what issues receipts and forgets, on an installation that has journal,
// vault and outbox, and what lies outside of them.
func NewKeeper(in *installation.Installation, mirror *blob.Bucket) *keeper.Keeper {
	return &keeper.Keeper{
		Receipts: &receipt.Issuer{Requests: in.Requests, Rows: in.Journal, Vault: in.Vault, Now: now},
		Requests: in.Requests, Journal: in.Journal, Vault: in.Vault, Outbox: in.Outbox,
		Answers: aggregator.Answers{Vault: in.Vault, Outbox: in.Outbox}, List: keeper.NewList(mirror), Now: now,
	}
}
