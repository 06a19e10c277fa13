package node

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
	"golang.org/x/mod/sumdb/note"

	"go.yaml.in/yaml/v3"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/intake"
	"habeas.dev/services/internal/callers"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/outbox"
	"habeas.dev/services/internal/receipt"
	"habeas.dev/services/internal/reconcile"
	"habeas.dev/services/internal/signkey"
	"habeas.dev/services/internal/topics"
	"habeas.dev/services/internal/transport"
)

// marks returns what tells whether the journal comes from a backup.
func marks(in *installation.Installation, mirror *blob.Bucket) (reconcile.Marks, error) {
	key, err := installation.OpenSigningKey(in.Config, signkey.Log, false)
	if err != nil {
		return reconcile.Marks{}, err
	}
	m := reconcile.Marks{Journal: in.Journal, Mirror: mirror, Vault: in.Vault, Now: now}
	if key != nil {
		m.Log, err = note.NewVerifier(key.Verifier)
	}
	return m, err
}

// whileDue is how often it is looked whether the journal was reconciled.
const whileDue = time.Second

// lookForRestored finds out whether the journal comes from a backup. While it isn't
// reconciled, nothing runs that [Node.onceReconciled] holds back, and /readyz says so.
func (n *Node) lookForRestored(ctx context.Context) error {
	m, err := marks(n.Installation, n.mirror)
	if err != nil {
		return err
	}
	n.health.watch("reconcile", func(ctx context.Context) error { return reconcile.Due(ctx, n.Installation.Journal) })
	n.reconciled = make(chan struct{})
	err = m.Look(ctx)
	due := (*reconcile.DueError)(nil)
	if err != nil && !errors.As(err, &due) {
		return err
	}
	if due != nil {
		n.due.Store(due)
		n.log.Error("the journal comes from a backup: no task, no letter and no answer leaves before it is reconciled", "error", err)
	}
	n.run("marks", func(ctx context.Context) error {
		if err := n.waitReconciled(ctx); err != nil {
			return nil //nolint:nilerr // the process is stopped
		}
		n.due.Store(nil)
		close(n.reconciled)
		return m.Run(ctx, n.log)
	})
	return nil
}

// mayDecide returns why nothing may be decided on the journal now; nil where it may.
func (n *Node) mayDecide() error {
	if due := n.due.Load(); due != nil {
		return due
	}
	return nil
}

// waitReconciled waits until reconciling isn't due.
func (n *Node) waitReconciled(ctx context.Context) error {
	beat := time.NewTicker(whileDue)
	defer beat.Stop()
	for {
		if err := reconcile.Due(ctx, n.Installation.Journal); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-beat.C:
		}
	}
}

// onceReconciled runs a service as soon as the journal is known to be the newest.
func (n *Node) onceReconciled(name string, service func(context.Context) error) {
	n.run(name, func(ctx context.Context) error {
		select {
		case <-n.reconciled:
			return service(ctx)
		case <-ctx.Done():
			return nil
		}
	})
}

// Reconciliation is what habeas reconcile is told.
type Reconciliation struct {
	// Since bounds what is read of the topics; the zero time: all of it.
	Since    time.Time
	Plan     bool
	By       string
	Progress func(what string, n int)
	// NoTopics has nothing read of Kafka: it is gone.
	NoTopics bool
}

// DueNow returns a [reconcile.DueError] where an installation's journal is to be reconciled:
// a coordinator has noticed it, or journal and mirror say so. Nothing is marked.
func DueNow(ctx context.Context, in *installation.Installation) error {
	if err := reconcile.Due(ctx, in.Journal); err != nil {
		return err
	}
	mirror, err := installation.OpenMirror(ctx, in.Config)
	if err != nil {
		return err
	}
	defer func() { _ = mirror.Close() }() // it was only read
	m, err := marks(in, mirror)
	if err != nil {
		return err
	}
	return m.Compare(ctx)
}

// Reconcile holds an installation's journal against what lies elsewhere, and takes up what
// can be. Where that isn't only planned, the coordinators begin again after it.
func Reconcile(ctx context.Context, in *installation.Installation, o Options, r Reconciliation) (report reconcile.Report, err error) {
	p, err := newProcess(ctx, in.Config, o, "habeas-reconcile")
	if err != nil {
		return report, err
	}
	n := &Node{process: p, Config: in.Config, Installation: in, options: o}
	defer n.Stop()
	if n.Manifests, err = Manifests(in.Config); err != nil {
		return report, err
	}
	mirror, err := installation.OpenMirror(ctx, in.Config)
	if err != nil {
		return report, err
	}
	n.onStop(mirror.Close)
	m, err := marks(in, mirror)
	if err != nil {
		return report, err
	}
	c := reconcile.Config{Journal: in.Journal, Requests: in.Requests, Vault: in.Vault, Outbox: in.Outbox, Answers: answersIn{in.Vault, in.Outbox},
		Since: r.Since, Plan: r.Plan, By: r.By, Now: now, Progress: r.Progress}
	if m.Log != nil {
		if c.Beyond, err = receipt.HeadsBeyond(ctx, in.Journal, mirror, m.Log); err != nil {
			return report, err
		}
	}
	if c.From, c.Until, err = m.Span(ctx); err != nil {
		return report, err
	}
	if !r.NoTopics {
		if c.Topics, err = topicsOf(in.Config); err != nil {
			return report, err
		}
		if c.Door, err = n.doorAgain(); err != nil {
			return report, err
		}
	}
	if r.Plan {
		return reconcile.Run(ctx, c)
	}
	log, err := installation.OpenLog(in.Config, in.Journal, mirror, false)
	if err != nil {
		return report, err
	}
	if err := takesIn(ctx, m, log); err != nil {
		return report, err
	}
	if report, err = reconcile.Run(ctx, c); err != nil {
		return report, err
	}
	if log != nil {
		if err := log.SignTakenIn(ctx, now()); err != nil {
			return report, err
		}
		if report.Heads.Any() {
			if err := log.SignLostHeads(ctx, report.Heads.Loss(now())); err != nil {
				return report, err
			}
		}
		// It comes last: until then the mirror tells what there was (docs/adr/0056).
		if err := log.SignHeads(ctx, true); err != nil {
			return report, err
		}
	}
	return report, m.Done(ctx)
}

// takesIn has the journal take in what the log's mirror has more. That comes before facts: its
// leaves are in the order in which they were signed. That the journal is to be reconciled is
// noted first, since the log tells no longer then.
func takesIn(ctx context.Context, m reconcile.Marks, log *receipt.Log) error {
	if err, due := m.Look(ctx), (*reconcile.DueError)(nil); err != nil && !errors.As(err, &due) {
		return err
	}
	if log == nil {
		return nil
	}
	if err := log.TakeIn(ctx); err != nil {
		return err
	}
	if _, err := log.Publish(ctx); err != nil {
		return err
	}
	return log.SignSearches(ctx, true)
}

// ConfirmLost notes in an installation's journal, signed, that somebody has looked for what was
// lost with what it lacks of the list of heads. It returns how many losses nobody had confirmed.
func ConfirmLost(ctx context.Context, in *installation.Installation, by, reason string) (int, error) {
	mirror, err := installation.OpenMirror(ctx, in.Config)
	if err != nil {
		return 0, err
	}
	defer func() { _ = mirror.Close() }() // it was only read
	log, err := installation.OpenLog(in.Config, in.Journal, mirror, false)
	if log == nil || err != nil {
		return 0, err
	}
	return log.ConfirmLostHeads(ctx, by, reason, now())
}

// answersIn reads the answers that lie in an outbox.
type answersIn struct {
	vault  *vault.Vault
	outbox *blob.Bucket
}

// Answer implements reconcile.Answers. Of one whose keys were destroyed it tells the sealed
// size alone; one that doesn't open with the keys that there are is an error, since somebody
// else may have put it there.
func (a answersIn) Answer(ctx context.Context, requestID string) (*dsar.Object, error) {
	name := outbox.AnswerName(requestID)
	attributes, err := a.outbox.Attributes(ctx, name)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("outbox: %w", err)
	}
	sealed := &dsar.Object{Name: name, Bytes: attributes.Size}
	r, err := aggregator.OpenBundle(ctx, a.vault, a.outbox, requestID)
	switch {
	case errors.Is(err, vault.ErrShredded), errors.Is(err, vault.ErrNoKeys):
		return sealed, nil
	case err != nil:
		return nil, fmt.Errorf("outbox: the answer of request %s doesn't open: run it again, or take the file away if nobody of yours wrote it: %w", requestID, err)
	}
	defer func() { _ = r.Close() }() // it was only read
	sum := sha256.New()
	size, err := io.Copy(sum, r)
	if err != nil {
		return nil, fmt.Errorf("outbox: the answer of request %s doesn't open: run it again, or take the file away if nobody of yours wrote it: %w", requestID, err)
	}
	return &dsar.Object{Name: name, Bytes: size, SHA256: hex.EncodeToString(sum.Sum(nil))}, nil
}

// cluster reads the topics of a cluster.
type cluster struct{ bus.Config }

// Scan implements reconcile.Topics.
func (c cluster) Scan(ctx context.Context, topic string, since time.Time, f func(bus.Scanned) error) error {
	return bus.Scan(ctx, c.Config, topic, since, f)
}

// topicsOf returns what reads an installation's topics: on its cluster, or on the embedded
// broker while habeas up runs.
func topicsOf(cfg config.Config) (cluster, error) {
	b, err := reach(cfg, topics.UserReconciler)
	return cluster{b}, err
}

// reach returns how a user from outside reaches an installation's broker.
func reach(cfg config.Config, user string) (bus.Config, error) {
	files := cfg.Kafka
	if len(files.Brokers) == 0 {
		var way struct {
			Kafka bus.Files `yaml:"kafka"`
		}
		text, err := os.ReadFile(filepath.Join(cfg.Room(config.RoomUsers), user+".yaml"))
		if err != nil {
			return bus.Config{}, errors.New("the embedded broker doesn't run, so its topics can't be read: start habeas up beside this, which waits until the journal is reconciled; or leave Kafka out with --no-topics")
		}
		if err := yaml.Unmarshal(text, &way); err != nil {
			return bus.Config{}, fmt.Errorf("how %s reaches the embedded broker: %w", user, err)
		}
		files = way.Kafka
	}
	c, err := files.Config()
	c.ClientID = user
	return c, err
}

// doorAgain returns what takes in a record of dsar.requests again.
func (n *Node) doorAgain() (reconcile.Door, error) {
	book, err := n.Installation.Laws()
	if err != nil {
		return nil, err
	}
	catalogue, err := manifest.Catalogue(n.Manifests)
	if err != nil {
		return nil, err
	}
	c, err := n.takesIn(book, catalogue)
	if err != nil {
		return nil, err
	}
	if len(n.Config.Producers) > 0 {
		if c.Producers, err = callers.NewProducers(n.Config.Producers); err != nil {
			return nil, err
		}
	}
	d := &doorAgain{}
	c.Requests, c.Rejected, c.PerPerson = knowing{n.Installation.Requests, d}, d, journal.MaxList
	d.intake, err = intake.New(c)
	return d, err
}

// doorAgain takes in one record at a time, and puts none aside: those that are refused were
// when they came.
type doorAgain struct {
	intake *intake.Intake
	known  core.TakeUp // of the one that is taken in
	code   string      // why it was refused
}

// TakeIn implements reconcile.Door.
func (d *doorAgain) TakeIn(ctx context.Context, r bus.Scanned, known core.TakeUp) (string, error) {
	d.known, d.code = known, ""
	err := d.intake.HandleMessage(ctx, r.Headers, r.Key, r.Value)
	return d.code, err
}

// Send implements intake.Publisher.
func (d *doorAgain) Send(_ context.Context, _ string, e event.Event) error {
	var r event.Rejected
	err := json.Unmarshal(e.Data, &r)
	d.code = r.Code
	return err
}

// knowing submits with what is known of a request already.
type knowing struct {
	intake.Requests
	door *doorAgain
}

// Do implements intake.Requests.
func (k knowing) Do(ctx context.Context, requestID string, c core.Command) (core.State, error) {
	if s, ok := c.(core.Submit); ok {
		known := k.door.known
		known.Now = s.AcceptedAt
		s.TakeUp = &known
		c = s
	}
	return k.Requests.Do(ctx, requestID, c)
}

// Replay tells the facts of an installation's journal from a time on again; without tell they
// are only counted.
func Replay(ctx context.Context, in *installation.Installation, since time.Time, tell bool, progress func(string, int)) (facts, requests int, err error) {
	r := reconcile.Replay{Journal: in.Journal, Vault: in.Vault, Progress: progress}
	if tell {
		as, err := reach(in.Config, topics.UserReconciler)
		if err != nil {
			return 0, 0, err
		}
		p, err := bus.NewPublisher(bus.PublisherConfig{Config: as})
		if err != nil {
			return 0, 0, err
		}
		defer func() { _ = p.Close() }() // what was published is acknowledged
		r.Next = transport.NewCarrier(p)
	}
	return r.Since(ctx, since)
}
