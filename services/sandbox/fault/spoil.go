package fault

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
)

// Answer is a stand-in's answer on its way out.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Spoil makes an answer one that must not count, as r draws; false where this
// answer can't be spoilt so.
type Spoil func(r *rand.Rand, req *http.Request, a *Answer) bool

// The ways in which answers are spoilt. Each is played by a stand-in in its own
// form; [Empty], [Twice] and [Stranger] are alike for all.
const (
	Empty    = "empty"    // there is no body
	Twice    = "twice"    // the body comes twice
	Stranger = "stranger" // something between the two answers
	Short    = "short"    // a part or a record is missing
	Doubled  = "doubled"  // one stands there twice
	Emptied  = "emptied"  // all are missing
	Unended  = "unended"  // a page lacks the sign of its end or the name of the next
	Passing  = "passing"  // an error that passes, in the vendor's own words
	Unknown  = "unknown"  // an error in words that nobody has heard of
	Partly   = "partly"   // an error that passes, of some parts
)

// Spoils returns a vendor's, by name, with those that are alike for all.
func Spoils(own map[string]Spoil) map[string]Spoil {
	all := map[string]Spoil{Empty: emptyBody, Twice: twice, Stranger: stranger}
	for name, s := range own {
		all[name] = s
	}
	return all
}

func emptyBody(_ *rand.Rand, _ *http.Request, a *Answer) bool {
	had := len(a.Body) > 0
	a.Body = nil
	return had
}

func twice(_ *rand.Rand, _ *http.Request, a *Answer) bool {
	a.Body = bytes.Repeat(a.Body, 2)
	return len(a.Body) > 0
}

// stranger answers as a proxy or a page to log in does.
func stranger(r *rand.Rand, _ *http.Request, a *Answer) bool {
	statuses := []int{http.StatusOK, http.StatusFound, http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusProxyAuthRequired}
	a.Status = statuses[r.IntN(len(statuses))]
	a.Header.Set("Content-Type", "text/html")
	if a.Status == http.StatusFound {
		a.Header.Set("Location", "https://login.example.net/")
	}
	a.Body = []byte("<html><body>Please log in</body></html>")
	return true
}

// Says returns the spoil that answers one of some errors in the vendor's words.
func Says(errors ...Answer) Spoil {
	return func(r *rand.Rand, _ *http.Request, a *Answer) bool {
		e := errors[r.IntN(len(errors))]
		a.Status, a.Body = e.Status, e.Body
		a.Header.Set("Content-Type", "application/json;charset=UTF-8")
		return true
	}
}

// Lists returns spoils of the lists that stand in an answer of JSON under some
// members, at any depth: one of its elements is missing, is there twice, or all are
// missing.
func Lists(members ...string) (short, doubled, emptied Spoil) {
	in := func(change func(list []any) []any) Spoil {
		return func(_ *rand.Rand, _ *http.Request, a *Answer) bool {
			done := false
			return Edit(a, func(_ string, m map[string]any) {
				for _, name := range members {
					if list, ok := m[name].([]any); ok && len(list) > 0 && !done {
						m[name], done = change(list), true
					}
				}
			}) && done
		}
	}
	return in(func(list []any) []any { return list[:len(list)-1] }),
		in(func(list []any) []any { return append(slices.Clone(list), list[0]) }),
		in(func([]any) []any { return []any{} })
}

// Without returns the spoil that leaves out the first of some members that an
// answer of JSON has, wherever it stands.
func Without(members ...string) Spoil {
	return func(_ *rand.Rand, _ *http.Request, a *Answer) bool {
		done := false
		return Edit(a, func(_ string, m map[string]any) {
			for _, name := range members {
				if _, ok := m[name]; ok && !done {
					delete(m, name)
					done = true
				}
			}
		}) && done
	}
}

// Edit lets f change every object of an answer of JSON, from the outside in, each
// with the name of the member that it is; false where it isn't JSON.
func Edit(a *Answer, f func(name string, m map[string]any)) bool {
	d := json.NewDecoder(bytes.NewReader(a.Body))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return false
	}
	edit("", v, f)
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("fault: an answer that was JSON: %v", err))
	}
	a.Body = b
	return true
}

func edit(name string, v any, f func(string, map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		f(name, v)
		for _, member := range slices.Sorted(maps.Keys(v)) {
			edit(member, v[member], f)
		}
	case []any:
		for _, element := range v {
			edit(name, element, f)
		}
	}
}

// Any returns the spoil that tries some until one does it, beginning with one that
// is drawn.
func Any(some ...Spoil) Spoil {
	return func(r *rand.Rand, req *http.Request, a *Answer) bool {
		for _, n := range r.Perm(len(some)) {
			whole := Answer{a.Status, a.Header, a.Body}
			if some[n](r, req, &whole) {
				*a = whole
				return true
			}
		}
		return false
	}
}
