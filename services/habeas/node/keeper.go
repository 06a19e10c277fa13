package node

import (
	"context"
	"errors"
	"fmt"

	"gocloud.dev/blob"

	"habeas.dev/services/aggregator"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/keeper"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/receipt"
	"habeas.dev/services/internal/signkey"
)

// keeper returns what issues receipts and forgets, and starts the log of receipts. What
// was forgotten is shredded again before, where the vault's keys come from a backup.
func (n *Node) keeper(ctx context.Context, book *policy.Book, create bool) (*keeper.Keeper, error) {
	mirror, err := installation.OpenMirror(ctx, n.Config)
	if err != nil {
		return nil, err
	}
	n.onStop(mirror.Close)
	k := NewKeeper(n.Installation, mirror)
	if k.Teller, err = n.teller(); err != nil {
		return nil, err
	}
	again, err := k.List.Again(ctx, n.Installation.Vault, now())
	if err != nil {
		return nil, fmt.Errorf("what was forgotten can't be looked up, so nothing is opened: %w", err)
	}
	if again > 0 {
		n.log.Info("what was forgotten lately is shredded again", "keys", again)
	}
	log, err := installation.OpenLog(n.Config, n.Installation.Journal, mirror, create)
	if err != nil {
		return nil, err
	}
	if log == nil {
		n.log.Warn("receipts aren't signed: there is no key; make one with habeas keys init, and name it by receipts.log_key", "file", n.Config.Receipts.LogKey)
		return k, nil
	}
	// A restored journal takes in what it lacks before it adds anything.
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
	n.run("log", func(ctx context.Context) error { return log.Run(ctx, n.log) })
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
