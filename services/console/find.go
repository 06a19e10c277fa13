package console

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
	"habeas.dev/services/internal/journal"
)

// maxSought bounds what is searched for, in bytes: more than the longest address.
const maxSought = 512

// find looks for a request by its id, or for a person by what they are known
// by, which comes in a form and is in no address and no log: only its keyed
// hash is looked for, and stands in the journal of searches with who searched.
func (c *Console) find(w http.ResponseWriter, r *http.Request, u User) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		c.fail(w, r, u, http.StatusBadRequest, "This is more than can be searched for.")
		return
	}
	sought := identifier.Trim(r.PostForm.Get("for"))
	switch {
	case sought == "":
		http.Redirect(w, r, "/", http.StatusSeeOther)
		return
	case len(sought) > maxSought || !utf8.ValidString(sought) || strings.ContainsRune(sought, 0):
		c.fail(w, r, u, http.StatusBadRequest, "This is more than can be searched for.")
		return
	}
	if id, ok := dsar.ReadRequestID(sought); ok {
		http.Redirect(w, r, "/requests/"+id, http.StatusSeeOther)
		return
	}
	short, err := c.byShortID(r.Context(), sought)
	if err != nil {
		c.broken(w, r, u, err)
		return
	}
	if len(short) == 1 {
		http.Redirect(w, r, "/requests/"+short[0].RequestID, http.StatusSeeOther)
		return
	}
	if len(short) > 0 {
		c.found(w, r, u, short)
		return
	}
	if often, err := c.searchesOften(r.Context(), u); err != nil || often {
		if err != nil {
			c.broken(w, r, u, err)
			return
		}
		w.Header().Set("Retry-After", "600")
		c.fail(w, r, u, http.StatusTooManyRequests, "You have searched for many people within an hour. Go on later.")
		return
	}
	rows, err := c.requestsOf(r.Context(), sought)
	if err == nil {
		err = c.Journal.AddSearch(r.Context(), c.searched(u, sought, len(rows)))
	}
	if err != nil {
		c.broken(w, r, u, err)
		return
	}
	c.found(w, r, u, rows)
}

// shortID is how an id is written where it is shortened: its first letters, four or more, at
// least one of which is no digit, since digits alone may be a telephone's or an account's.
var shortID = regexp.MustCompile(`^[0-9]*[a-f-][0-9a-f-]*$`)

// shortest is how many letters of an id are looked for at least.
const shortest = 4

// byShortID returns the requests whose ids begin with a text; none where it isn't the
// beginning of an id.
func (c *Console) byShortID(ctx context.Context, text string) ([]journal.Row, error) {
	text = strings.ToLower(text)
	if len(text) < shortest || len(text) > 36 || !shortID.MatchString(text) {
		return nil, nil
	}
	return c.Journal.List(ctx, journal.Filter{IDPrefix: text, Limit: rowsOnPage})
}

// found shows what a search found.
func (c *Console) found(w http.ResponseWriter, r *http.Request, u User, rows []journal.Row) {
	b := listBody{Found: true}
	for _, one := range rows {
		b.Rows = append(b.Rows, c.row(languageOf(r), one))
	}
	c.render(w, r, http.StatusOK, "list.html", page{User: u, Title: "Found", Here: "requests", Path: "/", Body: b})
}

// maxSearches is how many people somebody may search for within an hour: a busy desk has
// a third of it.
const maxSearches = 100

// searchesOften reports whether somebody has searched as often as they may, at whichever
// console.
func (c *Console) searchesOften(ctx context.Context, u User) (bool, error) {
	lately, err := c.Journal.Searches(ctx, journal.SearchFilter{By: u.By(), Since: c.now().Add(-time.Hour), Limit: maxSearches})
	return len(lately) >= maxSearches, err
}

// SearchHash returns what the journal of searches has of a value that was searched for:
// a keyed hash, by which one who has the value can find who searched for it.
func SearchHash(v interface {
	Fingerprint(typ dsar.IdentifierType, value string) string
}, value string) string {
	return v.Fingerprint("search", value)
}

// searched returns what the journal of searches has of one.
func (c *Console) searched(u User, value string, found int) journal.Search {
	return journal.Search{At: c.now(), By: u.By(), Hash: SearchHash(c.Vault, value), Found: found}
}

// requestsOf returns the requests of whoever is known by a value, of any type.
func (c *Console) requestsOf(ctx context.Context, value string) ([]journal.Row, error) {
	var rows []journal.Row
	for _, typ := range c.identifierTypes() {
		found, err := c.Journal.List(ctx, journal.Filter{Fingerprint: c.Vault.Fingerprint(typ, value), Limit: maxFound})
		if err != nil {
			return nil, err
		}
		for _, one := range found {
			if !slices.ContainsFunc(rows, func(r journal.Row) bool { return r.RequestID == one.RequestID }) {
				rows = append(rows, one)
			}
		}
	}
	slices.SortFunc(rows, func(a, b journal.Row) int { return b.ReceivedAt.Compare(a.ReceivedAt) })
	return rows, nil
}

// identifierTypes returns the identifier types that the systems know, and the two
// that everybody has.
func (c *Console) identifierTypes() []dsar.IdentifierType {
	types := []dsar.IdentifierType{"email", "phone"}
	for _, m := range c.Manifests {
		types = append(append(types, m.Needs...), m.Finds...)
	}
	slices.Sort(types)
	return slices.Compact(types)
}
