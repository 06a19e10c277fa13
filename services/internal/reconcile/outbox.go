package reconcile

import (
	"context"
	"errors"
	"io"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/outbox"
	"habeas.dev/services/internal/rejected"
)

// remains is what the outbox has of a request.
type remains struct {
	answer  *dsar.Object
	letters []core.LetterTaken
}

// refused reports whether a letter of refusal is among it, and no answer.
func (l remains) refused() bool {
	return l.answer == nil && slices.ContainsFunc(l.letters, func(t core.LetterTaken) bool { return t.Letter == core.LetterRefusal })
}

// lookAtOutbox collects what had gone out of requests that the journal doesn't know, or has
// open.
func (r *run) lookAtOutbox(ctx context.Context) error {
	list, n, last, wanted := r.Outbox.List(nil), 0, "", false
	for {
		o, err := list.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		is := outbox.Parse(o.Key)
		if is.Kind == outbox.Mark {
			continue
		}
		n++
		r.progress("objects of the outbox", n)
		id := is.RequestID
		if id != last { // they come in the order of their names
			row, known, err := r.known(ctx, id)
			if err != nil {
				return err
			}
			last, wanted = id, !known || !row.Status.Ended()
		}
		if !wanted {
			continue
		}
		left := r.outbox[id]
		switch is.Kind {
		case outbox.Letter:
			left.letters = append(left.letters, is.Letter)
		case outbox.Answer:
			if left.answer, err = r.Answers.Answer(ctx, id); err != nil {
				return err
			}
		default:
			continue
		}
		r.outbox[id] = left
	}
}

// noteRemains notes what had gone out of requests that nothing was taken up of: what they
// were written, and that they were answered.
func (r *run) noteRemains(ctx context.Context) error {
	n := 0
	for id, left := range r.outbox {
		n++
		r.progress("what went out", n)
		if _, known, err := r.known(ctx, id); err != nil {
			return err
		} else if !known || r.said[id] {
			continue
		}
		before, err := r.Requests.State(ctx, id)
		if err != nil {
			return err
		}
		c := r.command(core.TakenFromOutbox, id, 0)
		after, err := r.takeUp(ctx, id, nil, c)
		if err != nil {
			return err
		}
		if after.Version != before.Version {
			i := Item{Request: id, Caller: after.Accepted.Source, What: Told, Letters: len(after.Letters) - len(before.Letters), Status: after.Status}
			r.say(endedWith(i, before, after, left))
		}
	}
	return nil
}

// endedWith says of a request that it ended with what had gone out, where it did.
func endedWith(i Item, before, after core.State, left remains) Item {
	if !after.AnswerUntold || before.AnswerUntold {
		return i
	}
	i.What, i.Why = Answered, "a person is to look at it, and note that they did (habeas note)"
	if left.answer != nil {
		i.Answer = left.answer.Name
	}
	return i
}

// lookAtVault names the requests of which there are keys, and nothing in the journal.
func (r *run) lookAtVault(ctx context.Context) error {
	n := 0
	err := r.Vault.EachRequest(ctx, func(id string) error {
		n++
		r.progress("keys of the vault", n)
		if _, isRejected := rejected.Day(id); isRejected || r.said[id] {
			return nil
		}
		if _, known, err := r.known(ctx, id); err != nil || known {
			return err
		}
		return r.lost(ctx, id, "")
	})
	if errors.Is(err, vault.ErrCantList) {
		return nil // nobody can look there
	}
	return err
}

// keptByNobody is what is said of a request that had gone on before it was lost.
const keptByNobody = "if it was an erasure, or a hold was on, what it had to keep is known to nobody now: later requests of the person don't find it, and nothing erases it in its time; look in the systems for what it may have left, by its answer if the person has it"

// lost names a request that can't be taken up again.
func (r *run) lost(ctx context.Context, id, why string) error {
	i := Item{Request: id, Caller: r.callers[id], What: Lost, Why: why}
	if left, out := r.outbox[id]; out {
		i.Letters = len(left.letters)
		if left.answer != nil {
			i.Answer = left.answer.Name
		}
	}
	_, err := r.Vault.Keys(ctx, id)
	switch {
	case errors.Is(err, vault.ErrShredded):
		i.What = Forgotten
	case err != nil && !errors.Is(err, vault.ErrNoKeys):
		return err
	}
	_, listed := r.versions[id]
	switch {
	case i.Why != "" || i.What == Forgotten:
	case i.Answer != "":
		i.Why = "it had been answered: nothing is to be sent again, unless the person has no answer; " + keptByNobody
	case listed && i.Caller == "":
		i.Why = "it was accepted, and whoever has a receipt of it sends it again; " + keptByNobody
	case i.Caller == "":
		i.Why = "only its keys are left: whoever has a receipt of it sends it again; if nobody has, it was never accepted"
	default:
		i.Why = "its caller sends it again"
	}
	r.say(i)
	return nil
}
