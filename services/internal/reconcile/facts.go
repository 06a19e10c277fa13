package reconcile

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/lifecycle"
)

const (
	// maxPending bounds the bytes of facts that wait to be taken up: beyond it what there is
	// is appended.
	maxPending = 256 << 20
	// maxTogether bounds the facts of one append.
	maxTogether = 1000
	// scans is how often dsar.events is read at most: partitions that were added have a
	// request's facts in two of them, and the later ones may be read first.
	scans = 3
)

// chain is what is known of a request's facts while dsar.events is read.
type chain struct {
	// hashes begin those of the facts that the journal has: enough to tell another fact.
	hashes []uint64
	// head is the last fact's version and hash, with those that are pending.
	version int
	head    []byte
	pending []journal.Fact
	taken   int // facts that were appended already
	// doubted is the version of the next fact, where one came that isn't vouched for.
	doubted int
	// broken is why what comes later can't be taken in; empty: it can.
	broken brokenBy
}

// brokenBy is why a fact of dsar.events can't be taken in.
type brokenBy string

const (
	unvouched brokenBy = "a fact on dsar.events isn't vouched for by this vault"
	parted    brokenBy = "the journal has another fact in the place of one on dsar.events"
	gap       brokenBy = "facts between are no longer on dsar.events"
	unread    brokenBy = "a fact on dsar.events was written by a newer program"
)

// first returns the beginning of a hash.
func first(h []byte) uint64 {
	var n uint64
	for _, b := range h[:8] {
		n = n<<8 | uint64(b)
	}
	return n
}

// takeUpFacts takes in again the facts of dsar.events that the journal has lost.
func (r *run) takeUpFacts(ctx context.Context) error {
	if r.Topics == nil {
		return nil
	}
	if err := r.leaves.load(ctx, r.Journal); err != nil {
		return err
	}
	f := &facts{run: r, secret: secretOf(r.Vault), hasher: journal.NewChain(), chains: map[string]*chain{}}
	for range scans {
		before := f.progressed
		for _, c := range f.chains {
			if c.broken == gap {
				c.broken = ""
			}
		}
		if err := r.Topics.Scan(ctx, event.TopicEvents, r.Since, func(s bus.Scanned) error { return f.take(ctx, s) }); err != nil {
			return err
		}
		if f.progressed == before || !f.gaps() {
			break
		}
	}
	return f.finish(ctx)
}

// facts reads dsar.events.
type facts struct {
	*run
	secret     []byte
	hasher     *journal.Chain
	chains     map[string]*chain
	pending    int // bytes
	progressed int // facts that are new to the journal
	read       int
}

func (f *facts) gaps() bool {
	for _, c := range f.chains {
		if c.broken == gap {
			return true
		}
	}
	return false
}

// take looks at one record: a fact that follows what is known of its request is kept to be
// appended.
func (f *facts) take(ctx context.Context, s bus.Scanned) error {
	f.read++
	f.progress("facts on dsar.events", f.read)
	typ, ok := factType(s.Headers[event.HeaderType])
	if !ok || !dsar.ValidRequestID(s.Key) {
		return nil // nobody of ours has written it
	}
	c, err := f.chain(ctx, s.Key)
	if err != nil || c.broken != "" {
		return err
	}
	version := c.versionOf(s.Key, s.Headers[event.HeaderID])
	at, err := time.Parse(time.RFC3339Nano, s.Headers[event.HeaderTime])
	if err != nil {
		return nil //nolint:nilerr // nobody of ours has written it
	}
	fact := journal.Fact{RequestID: s.Key, Version: version, Type: typ, At: journal.Time(at), Data: s.Value}
	told, _ := hex.DecodeString(s.Headers[event.HeaderFactHash])
	vouched := len(told) == journal.HashSize && vouchedFor(f.secret, s.Key, s.Headers, told)
	switch {
	case version > 0 && version <= c.version:
		if vouched && version <= len(c.hashes) && first(told) != c.hashes[version-1] {
			c.broken = parted
		}
		return f.claim(ctx, fact)
	case !vouched:
		// Who wrote it may be anybody, so it breaks no chain: what follows may be ours.
		c.doubted = version
		if c.version == 0 && typ == core.TypeOf(core.Accepted{}) {
			f.callers[s.Key] = callerOf(s.Value)
		}
		return nil
	case version == 0:
		c.broken = gap
		return nil
	}
	hash := f.hasher.Next(nil, c.head, &fact)
	if !bytes.Equal(hash, told) {
		c.broken = parted
		return nil
	}
	if _, err := core.Decode(fact.Type, fact.Data); err != nil {
		c.broken = unread
		return nil //nolint:nilerr // it is told with the request
	}
	fact.Hash = hash
	c.version, c.head, c.pending = version, hash, append(c.pending, fact)
	f.pending += len(fact.Data)
	f.progressed++
	if f.pending > maxPending {
		return f.flush(ctx)
	}
	return nil
}

// chain returns what is known of a request.
func (f *facts) chain(ctx context.Context, id string) (*chain, error) {
	if c := f.chains[id]; c != nil {
		return c, nil
	}
	has, err := f.Journal.Facts(ctx, id, 1)
	if errors.Is(err, journal.ErrInvalid) {
		err = nil
	}
	if err != nil {
		return nil, err
	}
	c := &chain{version: len(has)}
	for _, h := range has {
		c.hashes = append(c.hashes, first(h.Hash))
		c.head = h.Hash
	}
	f.chains[id] = c
	return c, nil
}

// versionOf returns the version that a message's id is of: at most the next one; 0 for a later
// one.
func (c *chain) versionOf(requestID, id string) int {
	for v := c.version + 1; v >= 1; v-- {
		if event.FactID(requestID, v) == id {
			return v
		}
	}
	return 0
}

// flush appends what is pending, without a note: more may come.
func (f *facts) flush(ctx context.Context) error {
	for id, c := range f.chains {
		if f.Plan { // it is counted
			c.taken, c.pending = c.taken+len(c.pending), nil
			continue
		}
		if _, err := f.append(ctx, id, c, nil); err != nil {
			return err
		}
	}
	f.pending = 0
	return nil
}

// append appends what is pending of a request, and then the command. Where only that is
// said which would be done, it is kept.
func (f *facts) append(ctx context.Context, id string, c *chain, command *core.TakeUp) (s core.State, err error) {
	if f.Plan {
		if c.taken > 0 {
			return s, nil // it isn't kept what would become of it
		}
		return f.takeUp(ctx, id, c.pending, command)
	}
	for len(c.pending) > 0 || command != nil {
		n := min(len(c.pending), maxTogether)
		some := c.pending[:n]
		var with *core.TakeUp
		if n == len(c.pending) {
			with, command = command, nil
		}
		if n == 0 && with == nil {
			break
		}
		if err := f.leaves.before(ctx, f.Journal, some); err != nil {
			return s, err
		}
		if s, err = f.takeUp(ctx, id, some, with); err != nil {
			return s, err
		}
		if err := f.leaves.after(ctx, f.Journal, some); err != nil {
			return s, err
		}
		c.taken += n
		c.pending = c.pending[n:]
	}
	return s, nil
}

// finish appends what is pending, each with the note of what was taken up, and says what
// became of each request of which a fact was lost.
func (f *facts) finish(ctx context.Context) error {
	f.report.Facts = f.read
	done := 0
	for _, id := range slices.Sorted(maps.Keys(f.chains)) {
		c := f.chains[id]
		total := c.taken + len(c.pending)
		if c.broken == "" && c.doubted > c.version {
			c.broken = unvouched
		}
		if total == 0 && (c.broken == "" || c.broken == gap && c.version > 0 && f.ended(ctx, id)) {
			continue
		}
		done++
		f.progress("requests that were cut off", done)
		i := Item{Request: id, What: TakenUp, Facts: total, Why: string(c.broken)}
		if total == 0 && c.version == 0 {
			continue // nothing of it can be taken in: the vault and dsar.requests say more
		}
		before, err := f.Requests.State(ctx, id)
		if err != nil {
			return err
		}
		after := before
		if total > 0 {
			if after, err = f.append(ctx, id, c, f.command(core.TakenFromEvents, id, total)); errors.Is(err, lifecycle.ErrNotNext) {
				i.What, i.Why, err = Parted, string(parted), nil
				after = before
			}
			if err != nil {
				return err
			}
		}
		switch c.broken {
		case parted:
			i.What = Parted
		case "":
		default:
			i.What = Cut
		}
		i.Caller, i.Status, i.Letters = after.Accepted.Source, after.Status, len(f.outbox[id].letters)
		f.say(endedWith(i, before, after, f.outbox[id]))
	}
	return nil
}

// ended reports whether a request has ended in the journal: then what is still told of it
// on the topic came later, and nothing waits for that.
func (f *facts) ended(ctx context.Context, id string) bool {
	row, known, err := f.known(ctx, id)
	return err == nil && known && row.Status.Ended()
}

// factType returns the type that a fact has in the journal, of that of its message.
func factType(of string) (string, bool) {
	name, ok := strings.CutSuffix(of, ".v1")
	name, dsar := strings.CutPrefix(name, "dsar.")
	return name, ok && dsar && event.FactType(name) == of
}

// callerOf returns the caller that the first fact of a request names.
func callerOf(data []byte) string {
	var a struct {
		Source string `json:"source"`
	}
	if json.Unmarshal(data, &a) != nil || len(a.Source) > journal.MaxName {
		return ""
	}
	return a.Source
}
