package receipt

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"habeas.dev/services/internal/journal"
)

// TakenIn are the leaves that a log took in from its mirror and that no fact has claimed since,
// as whoever holds the log's key has signed: a journal that was restored from an older copy
// has no facts of them. A leaf of no request that isn't among them lost its request here.
type TakenIn []Range

// Range are the leaves from one index up to another, which isn't among them.
type Range struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
	// At is when a person had them taken in; zero: before v0.2.0, when nobody was asked.
	At time.Time `json:"at,omitzero"`
}

// Has reports whether a leaf was taken in.
func (t TakenIn) Has(index int64) bool {
	return slices.ContainsFunc(t, func(r Range) bool { return r.From <= index && index < r.To })
}

// formTakenIn is the first line of what is signed. A checkpoint's is its log's name, so
// that none can stand for the other.
const formTakenIn = "habeas.dev/taken-in/v1"

// takenInName returns the name of the journal's note.
func takenInName(origin string) string { return "log-taken-in " + origin }

// ReadTakenIn returns what a log has taken in, as its journal has it; nil where that is
// nothing, or wasn't signed by the log's key.
func ReadTakenIn(ctx context.Context, j journal.Notes, v note.Verifier) (TakenIn, error) {
	signed, _, err := j.Note(ctx, takenInName(v.Name()))
	if err != nil {
		return nil, err
	}
	all, _ := openTakenIn(signed, v)
	return all, nil
}

// begun is what a line begins with of leaves that are being taken in: which of them are of no
// request is only known once facts have been taken up.
const begun = "begun"

// openTakenIn reads what was signed: leaves that were taken in, and those that are being.
func openTakenIn(signed []byte, v note.Verifier) (all, being TakenIn) {
	n, err := note.Open(signed, note.VerifierList(v))
	if err != nil {
		return nil, nil
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) < 2 || lines[0] != formTakenIn || lines[1] != v.Name() {
		return nil, nil
	}
	for _, line := range lines[2:] {
		rest, under := strings.CutPrefix(line, begun+" ")
		var r Range
		var at string
		if n, _ := fmt.Sscanf(rest, "%d %d %s", &r.From, &r.To, &at); n < 2 {
			continue
		}
		r.At, _ = time.Parse(time.RFC3339, at) // zero where it says none
		if under {
			being = append(being, r)
		} else {
			all = append(all, r)
		}
	}
	return all, being
}

// signTakenIn signs what was taken in, and is being, and puts it in the place of what was
// signed before. What doesn't fit into a note isn't signed: the audit names it.
func (l *Log) signTakenIn(ctx context.Context, all, being TakenIn, version int64) error {
	text := formTakenIn + "\n" + l.key.Name() + "\n"
	for _, r := range being {
		text += fmt.Sprintf("%s %d %d\n", begun, r.From, r.To)
	}
	for _, r := range all {
		line := fmt.Sprintf("%d %d", r.From, r.To)
		if !r.At.IsZero() {
			line += " " + r.At.UTC().Format(time.RFC3339)
		}
		if len(text)+len(line) > journal.MaxNote-maxSignature {
			break
		}
		text += line + "\n"
	}
	signed, err := note.Sign(&note.Note{Text: text}, l.key)
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	return l.journal.SetNote(ctx, takenInName(l.key.Name()), signed, version)
}

// maxSignature is more than what a signature adds to a note.
const maxSignature = 1 << 10

// TakeIn appends to the journal the leaves that only the mirror has. Nothing is taken in
// unless the whole then is what the mirror's checkpoint says. They are of no request until
// facts claim them; [Log.SignTakenIn] MUST be called after that, and both only where a person
// said so: whoever deletes leaves would have their deletion signed (TestNobodyTakesIn).
func (l *Log) TakeIn(ctx context.Context) error {
	copied, err := l.mirror.read(ctx, checkpointPath)
	if err != nil {
		return err
	}
	mirrored, err := l.open(copied)
	if err != nil {
		return err
	}
	size, err := l.journal.TreeSize(ctx)
	if err != nil || size >= mirrored.Size {
		return err
	}
	var missing [][]byte
	for from := size; from < mirrored.Size; {
		some, err := l.mirror.leaves(ctx, from, mirrored.Size)
		if err != nil {
			return err
		}
		missing = append(missing, some...)
		from += int64(len(some))
	}
	if err := l.checkMissing(ctx, size, missing, mirrored); err != nil {
		return err
	}
	if err := l.beginTakingIn(ctx, Range{From: size, To: mirrored.Size}); err != nil {
		return err
	}
	for len(missing) > 0 {
		n := min(len(missing), journal.MaxLeaves)
		if err := l.journal.TakeLeaves(ctx, size, missing[:n]); err != nil {
			return err
		}
		size += int64(n)
		missing = missing[n:]
	}
	return nil
}

// beginTakingIn signs that leaves are being taken in, before they are: so that it is known
// which they were, wherever it breaks off.
func (l *Log) beginTakingIn(ctx context.Context, more Range) error {
	signed, version, err := l.journal.Note(ctx, takenInName(l.key.Name()))
	if err != nil {
		return err
	}
	all, being := openTakenIn(signed, l.verifier)
	if slices.Contains(being, more) {
		return nil
	}
	return l.signTakenIn(ctx, all, append(being, more), version)
}

// SignTakenIn signs which of the leaves that [Log.TakeIn] has taken in are of no request, and
// when. Where nothing was taken in, nothing is done.
func (l *Log) SignTakenIn(ctx context.Context, at time.Time) error {
	signed, version, err := l.journal.Note(ctx, takenInName(l.key.Name()))
	if err != nil {
		return err
	}
	all, being := openTakenIn(signed, l.verifier)
	if len(being) == 0 {
		return nil
	}
	for _, r := range being {
		free, err := l.unclaimed(ctx, r)
		if err != nil {
			return err
		}
		for _, f := range free {
			if !all.Has(f.From) {
				f.At = at.UTC().Truncate(time.Second)
				all = append(all, f)
			}
		}
	}
	return l.signTakenIn(ctx, all, nil, version)
}

// unclaimed returns those of a range of leaves that are of no request.
func (l *Log) unclaimed(ctx context.Context, r Range) (free []Range, err error) {
	for from := r.From; from < r.To; {
		page, err := l.journal.Leaves(ctx, from, journal.MaxLeaves)
		if err != nil || len(page) == 0 {
			return free, err
		}
		for _, leaf := range page {
			switch last := len(free) - 1; {
			case leaf.Index >= r.To || leaf.RequestID != "":
			case last >= 0 && free[last].To == leaf.Index:
				free[last].To++
			default:
				free = append(free, Range{From: leaf.Index, To: leaf.Index + 1})
			}
		}
		from = page[len(page)-1].Index + 1
	}
	return free, nil
}

// checkMissing computes what the tree would be with the missing leaves.
func (l *Log) checkMissing(ctx context.Context, size int64, missing [][]byte, mirrored Checkpoint) error {
	read := journal.HashReader(ctx, l.journal)
	edge, err := read.ReadHashes(journal.TreeEdge(size))
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	added, err := journal.Grow(size, edge, missing)
	if err != nil {
		return err
	}
	first := tlog.StoredHashCount(size)
	root, err := tlog.TreeHash(mirrored.Size, tlog.HashReaderFunc(func(places []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(places))
		for i, p := range places {
			if p >= first {
				hashes[i] = added[p-first]
				continue
			}
			one, err := read.ReadHashes([]int64{p})
			if err != nil {
				return nil, err
			}
			hashes[i] = one[0]
		}
		return hashes, nil
	}))
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	if root != mirrored.Root {
		return fmt.Errorf("%w (they part before leaf %d)", ErrForked, size)
	}
	return nil
}
