package vendorapi

import (
	"fmt"
	"strconv"

	"habeas.dev/pkg/worker"
)

// Expect is what a call's answer must account for, and how it is read: one of
// [Nothing], [One], [Parts] and [PageOf]. An answer counts only when each question
// that was asked has its part of it, as a result or as a named absence; any other
// is unsure, and the vendor is asked again. Every call has one, so that no client
// can forget it: one without isn't made (TestUnaccounted).
type Expect struct {
	keys []string
	list *List
	read func(*Answer, *Tally) error
}

// Nothing expects that the answer's status is all that it tells.
func Nothing() *Expect {
	return &Expect{read: func(*Answer, *Tally) error { return nil }}
}

// One expects an answer about the one thing that was asked for. An error of read
// means that it isn't: of one that is neither a verdict nor of package worker, the
// answer is unsure.
func One(read func(*Answer) error) *Expect {
	return &Expect{read: func(a *Answer, _ *Tally) error { return read(a) }}
}

// Parts expects exactly one part for each key: the reference of a subrequest, the
// id of a record that is changed, a value that is looked up. read tells the tally
// of each part.
func Parts(keys []string, read func(*Answer, *Tally) error) *Expect {
	return &Expect{keys: keys, read: read}
}

// PageOf expects the next page of a list.
func PageOf(l *List, read func(*Answer) (Page, error)) *Expect {
	return &Expect{list: l, read: func(a *Answer, t *Tally) error {
		p, err := read(a)
		if err != nil {
			return err
		}
		return t.page(l, p)
	}}
}

// Tally holds the parts of one answer against what was asked.
type Tally struct {
	keys  []string
	open  map[string]bool // asked, and not answered yet
	next  int
	wrong error
	pages []func()
}

func newTally(keys []string) *Tally {
	t := &Tally{keys: keys, open: make(map[string]bool, len(keys))}
	for _, k := range keys {
		t.open[k] = true
	}
	return t
}

// Part takes up the part about a key, whether it is a result, an absence that is
// named, or a refusal.
func (t *Tally) Part(key string) {
	switch {
	case t.open[key]:
		t.open[key] = false
	case t.wrong == nil:
		t.wrong = fmt.Errorf("a part of the answer is doubled, or was not asked for")
	}
}

// Next takes up the next part of an answer whose parts come in the order of the
// keys, and returns its number; false where there is one more than was asked for.
func (t *Tally) Next() (int, bool) {
	if t.next >= len(t.keys) {
		t.wrong = fmt.Errorf("the answer has more parts than the %d that were asked for", len(t.keys))
		return 0, false
	}
	t.next++
	t.Part(t.keys[t.next-1])
	return t.next - 1, true
}

// Found takes up a record that was found by some of the keys, at least one. It may
// come as often as there are keys that lead to it, and answers all of them.
func (t *Tally) Found(keys ...string) {
	fresh := 0
	for _, k := range keys {
		if open, asked := t.open[k]; !asked {
			t.wrong = fmt.Errorf("a part of the answer was not asked for")
			return
		} else if open {
			fresh++
			t.open[k] = false
		}
	}
	if fresh == 0 && t.wrong == nil && len(keys) < 2 {
		t.wrong = fmt.Errorf("a part of the answer is doubled")
	}
}

// Page takes up the part about a key, which is the first page of a list.
func (t *Tally) Page(key string, l *List, p Page) error {
	t.Part(key)
	return t.page(l, p)
}

func (t *Tally) page(l *List, p Page) error {
	if err := l.check(p); err != nil {
		return err
	}
	t.pages = append(t.pages, func() { l.take(p) })
	return nil
}

// settle returns an error unless everything adds up.
func (t *Tally) settle(vendor string) error {
	if t.wrong != nil {
		return Unsure(codeBroken, vendor+"'s answer doesn't add up to what was asked; it is asked again", t.wrong)
	}
	left := &Unanswered{}
	for _, k := range t.keys {
		if t.open[k] {
			left.Keys = append(left.Keys, k)
		}
	}
	if len(left.Keys) > 0 {
		n := strconv.Itoa(len(left.Keys)) + " of " + strconv.Itoa(len(t.keys))
		return Unsure("unanswered", vendor+" left "+n+" questions of a call without an answer; it is asked again", left)
	}
	for _, take := range t.pages {
		take()
	}
	return nil
}

// Unanswered is the error, in the chain of that of [Client.Do], of an answer that
// left questions out. What it did answer was read.
type Unanswered struct {
	// Keys are what was asked and wasn't answered. They may be personal data.
	Keys []string
}

// Error returns how many they are, and no key.
func (u *Unanswered) Error() string {
	return strconv.Itoa(len(u.Keys)) + " questions without an answer"
}

// errUnaccounted returns the error for a call without an expectation: a fault of
// the program.
func errUnaccounted(name string) error {
	return worker.Permanent("unaccounted", "the worker makes a call ("+name+") without saying what its answer must account for: this is a fault of the worker's program", nil)
}
