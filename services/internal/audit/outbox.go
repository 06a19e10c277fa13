package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/keeper"
	"habeas.dev/services/internal/outbox"
)

// maxLetter bounds what is read of a letter, in bytes: many times the longest. Others can
// write there.
const maxLetter = 1 << 20

// maxTogether bounds how many objects of one request are looked at together: whoever can
// write there can put any number.
const maxTogether = 1000

// lies is an object as it lies in the outbox.
type lies struct {
	outbox.Object
	name string
	at   time.Time // when it was last written
}

// outbox names objects of requests that the journal doesn't know, and of those that it knows
// what their facts don't tell of, or tell was forgotten.
func (a *audit) outbox(ctx context.Context) error {
	if a.Outbox == nil {
		return nil
	}
	turn, within := errgroup.WithContext(ctx)
	turn.SetLimit(max(1, a.Parallel))
	var of []lies // they come in the order of their names, so that a request's come together
	look := func() {
		if all := of; len(all) > 0 {
			turn.Go(func() error { return a.lie(within, all[0].RequestID, all) })
		}
		of = nil
	}
	list := a.Outbox.List(nil)
	for {
		o, err := list.Next(within)
		if errors.Is(err, io.EOF) {
			look()
			return turn.Wait()
		}
		if err != nil {
			return errors.Join(turn.Wait(), err)
		}
		is := lies{outbox.Parse(o.Key), o.Key, o.ModTime}
		if is.Kind == outbox.Mark || is.Kind == outbox.Unfinished && a.Now.Sub(is.at) < 2*outbox.UnfinishedFor {
			continue // a coordinator deletes what stays unfinished
		}
		if len(of) == maxTogether || len(of) > 0 && of[0].RequestID != is.RequestID {
			look()
		}
		of = append(of, is)
	}
}

// lie looks at what lies in the outbox of one request.
func (a *audit) lie(ctx context.Context, id string, of []lies) error {
	known, err := a.known(ctx, id)
	if err != nil {
		return err
	}
	if !known {
		a.find("outbox-stranger", id, "The outbox has something of a request that isn't in the journal: it was deleted, or was never taken in.")
		return nil
	}
	facts, err := a.Journal.Facts(ctx, id, 1)
	if errors.Is(err, journal.ErrDamaged) {
		return nil // named where the request is looked at
	}
	if err != nil {
		return err
	}
	events := make([]core.Event, len(facts))
	for i, f := range facts {
		if events[i], err = core.Decode(f.Type, f.Data); err != nil {
			return nil //nolint:nilerr // named where the request is looked at
		}
	}
	s, answers := core.Fold(events), answersOf(events)
	for _, o := range of {
		code, text := unexplained(s, answers, o)
		if code == "" {
			continue
		}
		// What was forgotten meanwhile is gone by now.
		if there, err := a.Outbox.Exists(ctx, o.name); err != nil {
			return err
		} else if there {
			a.find(code, id, "%s", text)
		}
	}
	return nil
}

// called is what people call what lies in the outbox.
var called = map[outbox.Kind]string{
	outbox.Answer: "answer", outbox.Addendum: "later certificate", outbox.Key: "key under the person's passphrase",
	outbox.Follower: "note of who asked for it", outbox.Receipt: "receipt",
}

// unexplained returns what is to be said of an object that a request's facts don't tell of;
// nothing where they do.
func unexplained(s core.State, answers answered, o lies) (code, text string) {
	switch gone := !s.SubjectForgotten.IsZero(); {
	case o.Kind == outbox.Unfinished:
		return "unfinished", "The outbox has a half of something of it, which nobody writes any more: no coordinator runs that deletes such."
	case o.Part == core.PartSubject && gone:
		return "letter", "Whom it was about was forgotten, and a letter to them lies in the outbox."
	case o.Part == core.PartSubject && !tellsOf(s, o):
		return "letter", "The outbox has a letter to its person of which no fact tells."
	case o.Part == core.PartSubject:
		return "", ""
	case o.Kind == "":
		return "planted", "The outbox has an object of it by a name that Habeas gives to nothing: somebody put it there."
	case gone || !s.RecordsForgotten.IsZero():
		return "answer", fmt.Sprintf("Its answer was forgotten, and its %s lies in the outbox.", called[o.Kind])
	case !explained(s, answers, o):
		return "planted", fmt.Sprintf("The outbox has its %s, of which no fact tells: somebody put it there.", called[o.Kind])
	}
	return "", ""
}

// tellsOf reports whether facts tell of a letter: that it was sent, or why it would be.
func tellsOf(s core.State, o lies) bool {
	l := o.Letter
	return o.Kind == outbox.Letter && (slices.ContainsFunc(s.Letters, func(k core.LetterSent) bool {
		return k.Letter == l.Letter && k.Cause == l.Cause && k.Language == l.Language
	}) || slices.ContainsFunc(s.Occasions, func(o core.Occasion) bool { return o.Letter == l.Letter && o.Cause == l.Cause }))
}

// explained reports whether facts tell why an object lies beside a request's answer. What is
// written before it is journalled is explained by what has it written.
func explained(s core.State, answers answered, o lies) bool {
	_, named := answers.there[o.name]
	opened := s.Accepted.Recipient != "" || s.KeyMade // by somebody else than Habeas
	switch o.Kind {
	case outbox.Answer:
		return named || slices.ContainsFunc(s.Tasks, func(t *core.TaskState) bool { return t.System == dsar.Aggregator })
	case outbox.Addendum:
		return named || s.Right == dsar.Erasure && s.Status == core.StatusCompleted && o.Number == len(s.Addenda)+1
	case outbox.Key:
		return opened && !s.KeyRevoked
	case outbox.Receipt:
		return opened && s.Receipted
	case outbox.Follower:
		return slices.ContainsFunc(s.Accepted.Terms.Checks, func(c dsar.Check) bool { return c != dsar.CheckIdentity })
	}
	return false
}

// lost names letters that are missing of requests whose records have ended: but for those
// that an erasure has reached, as the list of what was forgotten tells, which is looked
// through once.
func (a *audit) lost(ctx context.Context) error {
	defer func() { clear(a.missing) }()
	if len(a.missing) == 0 || a.Mirror == nil || a.Vault == nil {
		return nil
	}
	err := keeper.NewList(a.Mirror).EachLetters(ctx, a.Vault, func(id string) {
		delete(a.missing, id)
	})
	if err != nil {
		return err
	}
	for id, causes := range a.missing {
		for _, cause := range causes {
			a.find("letter", id, "The letter about its version %d isn't in the outbox: it was deleted.", cause)
		}
	}
	return nil
}
