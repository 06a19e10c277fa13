// Package outbox says what lies in the outbox, where answers and letters wait for the person:
// each kind of object with its name, and with which part of a request it goes when that is
// forgotten. Whoever writes, deletes, sweeps or audits there goes by its one table
// (TestEveryKind).
package outbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"habeas.dev/services/internal/core"
)

// Kind is what an object of the outbox is.
type Kind string

// What lies in the outbox.
const (
	Answer   Kind = "answer"   // the bundle
	Addendum Kind = "addendum" // a later certificate, by its number
	Key      Kind = "key"      // the identity that opens the answer, under the person's passphrase
	Follower Kind = "follower" // what lets who asked for somebody else come back
	Receipt  Kind = "receipt"  // the receipt, encrypted to whoever opens the answer
	Letter   Kind = "letter"   // the copy of a letter to the person
	Mark     Kind = "mark"     // through when what was forgotten has been deleted; of no request
	// Unfinished is any of these as far as it was written when its process was killed, in a
	// folder: a bucket shows nothing before all of it is there.
	Unfinished Kind = "unfinished"
)

// unfinished is what a file is called while it is written, as fileblob's NoTempDir has it.
var unfinished = regexp.MustCompile(`^(.+)\.[0-9a-f]{1,16}\.tmp$`)

// UnfinishedFor is how long something unfinished may still be on its way: longer than an answer
// of any size is written, and each write begins the time anew.
const UnfinishedFor = 24 * time.Hour

// kind is a line of the table.
type kind struct {
	// begin and end are what stands before and after the request's id in a name; what
	// differs from object to object stands between the two ends.
	begin, end, last string
	part             core.Part
	// sealed objects open by a key of the vault; where that is destroyed, nobody opens them.
	// All others are gone only where they are deleted.
	sealed bool
}

// kinds are all that lie there.
var kinds = map[Kind]kind{
	Answer:   {end: ".zip.age", part: core.PartRecords, sealed: true},
	Addendum: {end: ".addendum-", last: ".json.age", part: core.PartRecords, sealed: true},
	Key:      {end: ".key.age", part: core.PartRecords},
	Follower: {end: ".follower", part: core.PartRecords},
	Receipt:  {end: ".receipt.html.age", part: core.PartRecords},
	Letter:   {begin: Letters, end: ".", last: ".txt", part: core.PartSubject},
}

const (
	// Letters begins the names of letters. A request has no folder of its own: to make one takes
	// as long as the letter.
	Letters = "letters/"
	// MarkName is the mark's. An outbox that was restored from a backup has the backup's.
	MarkName = "forgotten-through"
)

func name(k Kind, requestID, which string) string {
	return kinds[k].begin + requestID + kinds[k].end + which + kinds[k].last
}

// AnswerName returns the name of a request's bundle.
func AnswerName(requestID string) string { return name(Answer, requestID, "") }

// AddendumName returns the name of a request's later certificate, by its number from 1.
func AddendumName(requestID string, number int) string {
	return name(Addendum, requestID, strconv.Itoa(number))
}

// KeyName returns the name of a request's wrapped identity.
func KeyName(requestID string) string { return name(Key, requestID, "") }

// FollowerName returns the name of what lets who asked for somebody else come back.
func FollowerName(requestID string) string { return name(Follower, requestID, "") }

// ReceiptName returns the name of a request's receipt.
func ReceiptName(requestID string) string { return name(Receipt, requestID, "") }

// LetterName returns the name of a letter, by the fact that it is about, its kind and its
// language.
func LetterName(requestID string, cause int, l core.Letter, language string) string {
	return name(Letter, requestID, strconv.Itoa(cause)+"-"+string(l)+"."+language)
}

// Object is what the name of an object says.
type Object struct {
	// Kind is empty where Habeas names nothing so.
	Kind Kind
	// RequestID is what stands where a request's id does: whoever can write there writes
	// anything.
	RequestID string
	// Part is with which part of its request it goes when that is forgotten; empty for the mark.
	// What Habeas names nothing like goes with neither, but with whom it was about where it lies
	// among letters.
	Part core.Part
	// Number is an addendum's.
	Number int
	// Letter is which one it is.
	Letter core.LetterTaken
}

// Parse reads a name.
func Parse(object string) Object {
	if object == MarkName {
		return Object{Kind: Mark}
	}
	if m := unfinished.FindStringSubmatch(object); m != nil {
		if o := Parse(m[1]); o.Kind != "" && o.Kind != Unfinished {
			return Object{Kind: Unfinished, RequestID: o.RequestID, Part: o.Part}
		}
	}
	rest, isLetter := strings.CutPrefix(object, Letters)
	id, _, _ := strings.Cut(rest, ".")
	o := Object{RequestID: id}
	if isLetter {
		o.Part = core.PartSubject
	}
	for k, of := range kinds {
		which, is := strings.CutPrefix(object, of.begin+id+of.end)
		which, ends := strings.CutSuffix(which, of.last)
		if !is || !ends || !o.read(k, which) {
			continue
		}
		o.Kind, o.Part = k, of.part
	}
	return o
}

// read reads what differs from object to object, and reports whether it is as we write it.
func (o *Object) read(k Kind, which string) bool {
	switch k {
	case Addendum:
		n, err := strconv.Atoi(which)
		o.Number = n
		return err == nil && n > 0 && strconv.Itoa(n) == which
	case Letter:
		cause, rest, dash := strings.Cut(which, "-")
		l, language, dot := strings.Cut(rest, ".")
		n, err := strconv.Atoi(cause)
		o.Letter = core.LetterTaken{Letter: core.Letter(l), Language: language, Cause: n}
		return dash && dot && err == nil && n > 0 && strconv.Itoa(n) == cause
	default:
		return which == ""
	}
}

// OfAnswer returns the names of all that there can be of the answer to a request with so many
// addenda: what goes with its records. One more addendum is among them, which was written and
// not journalled. They are known, and not listed: a list takes as long as there are answers in
// the outbox.
func OfAnswer(requestID string, addenda int) (all []string) {
	for _, k := range slices.Sorted(maps.Keys(kinds)) {
		switch {
		case kinds[k].part != core.PartRecords:
		case k == Addendum:
			for n := range addenda + 1 {
				all = append(all, AddendumName(requestID, n+1))
			}
		default:
			all = append(all, name(k, requestID, ""))
		}
	}
	return all
}

// DeleteAnswer deletes what there is of the answer to a request with so many addenda. Where
// there is nothing, nothing is done.
func DeleteAnswer(ctx context.Context, b *blob.Bucket, requestID string, addenda int) error {
	for _, object := range OfAnswer(requestID, addenda) {
		if err := Delete(ctx, b, object); err != nil {
			return err
		}
	}
	return nil
}

// DeleteUnfinished deletes what was left unfinished by processes that were killed, and returns
// how many objects there were. What may still be on its way at a time stays.
func DeleteUnfinished(ctx context.Context, b *blob.Bucket, now time.Time) (n int, err error) {
	list := b.List(nil)
	for {
		o, err := list.Next(ctx)
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, fmt.Errorf("outbox: %w", err)
		}
		if Parse(o.Key).Kind != Unfinished || now.Sub(o.ModTime) < UnfinishedFor {
			continue
		}
		if err := Delete(ctx, b, o.Key); err != nil {
			return n, err
		}
		n++
	}
}

// Delete deletes an object. Where it isn't there, nothing is done.
func Delete(ctx context.Context, b *blob.Bucket, object string) error {
	if err := b.Delete(ctx, object); err != nil && gcerrors.Code(err) != gcerrors.NotFound {
		return fmt.Errorf("outbox: delete %s: %w", object, err)
	}
	return nil
}

// Sealed reports whether objects of a kind open by a key of the vault: where that is
// destroyed, nobody opens them. All others are gone only where they are deleted.
func (k Kind) Sealed() bool { return kinds[k].sealed }
