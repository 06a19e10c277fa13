package lakesystem

import (
	"errors"
	"io/fs"
	"regexp"
	"strings"

	"habeas.dev/pkg/worker"
)

// ErrUnreachable is in the chain of errors of [Open] where the catalogue can't be reached.
var ErrUnreachable = errors.New("the catalogue can't be reached")

// explain returns an error of reading or writing as one of pkg/worker's. A typed one stays.
func explain(d *dataset, err error) error {
	var typed *worker.Error
	if err == nil || errors.As(err, &typed) {
		return err
	}
	if errors.Is(err, fs.ErrPermission) {
		return worker.Permanent("no-permission", "the worker may not reach the files of "+d.Lake.Table+": give it the permission to read, write and remove them", unsaid(err))
	}
	return worker.Transient("lake", "the files of "+d.Lake.Table+" could not be read or written", unsaid(err))
}

// onlyMissing reports whether an error says of nothing but files that they aren't there:
// what expiring snapshots returns of files that an earlier expiry removed.
func onlyMissing(err error) bool {
	if err == nil {
		return false
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, one := range joined.Unwrap() {
			if !onlyMissing(one) {
				return false
			}
		}
		return true
	}
	return errors.Is(err, fs.ErrNotExist)
}

// unsaidError is an error of a catalogue or a store, of which plain words alone are said: its
// text may hold an address with what opens it, or a folder that is named for a person.
type unsaidError struct{ err error }

// unsaid returns an error that says the plain words of another, and is it for errors.Is and
// errors.As.
func unsaid(err error) error {
	if err == nil {
		return nil
	}
	return &unsaidError{err}
}

// plainWord is what is said of an error's text: a word, with what ends a clause.
var plainWord = regexp.MustCompile(`^\(?[A-Za-z]{1,20}('[a-z]{1,2})?[.,;:)]{0,2}$`)

// Error implements error: what isn't a plain word is left out.
func (e *unsaidError) Error() string {
	var out []string
	for _, word := range strings.Fields(e.err.Error()) {
		switch {
		case plainWord.MatchString(word):
			out = append(out, word)
		case len(out) == 0 || out[len(out)-1] != "…":
			out = append(out, "…")
		}
	}
	return strings.Join(out, " ")
}

func (e *unsaidError) Unwrap() error { return e.err }
