package vendorapi

import (
	"errors"
	"fmt"
	"hash/maphash"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/worker"
)

// Page is one page of a list, as the vendor answered it.
type Page struct {
	// Rows are the records, raw.
	Rows [][]byte
	// Listed tells that the answer has the member which holds the rows, if only an
	// empty one.
	Listed bool
	// Next names the page that follows, and Last is the vendor's own sign that none
	// does. Of the two exactly one is there; with neither, the answer broke off.
	Next string
	Last bool
	// Total is how many rows all pages have together; below 0 where the vendor
	// doesn't tell.
	Total int64
}

// List is a list that is read page by page: see [PageOf] and [Tally.Page]. It
// holds each page against those before: the page that follows is another one, no
// row of a page or of two pages in a row comes twice, and at the end there are as
// many as the vendor said. It remembers two pages of hashes, whatever the length.
type List struct {
	seed   maphash.Seed
	before map[uint64]struct{} // of the last page
	page   Page
	got    int64
	total  int64
	begun  bool
}

// NewList returns a list of which nothing was read yet.
func NewList() *List { return &List{seed: maphash.MakeSeed(), total: -1} }

// Rows returns the rows of the page that was read last.
func (l *List) Rows() [][]byte { return l.page.Rows }

// Next returns the name of the page that follows; empty where none does.
func (l *List) Next() string { return l.page.Next }

var (
	errNoList  = telemetry.Constant("the page has no list of records")
	errNoEnd   = telemetry.Constant("the page says neither that it is the last nor which one follows")
	errTwoEnds = telemetry.Constant("the page says that it is the last, and which one follows")
	errDoubled = telemetry.Constant("a record stands in the list twice")
)

// check returns what is wrong with a page, as the next of the list; nil where nothing
// is.
func (l *List) check(p Page) error {
	switch {
	case !p.Listed:
		return errNoList
	case p.Next == "" && !p.Last:
		return errNoEnd
	case p.Next != "" && p.Last:
		return errTwoEnds
	}
	if !l.begun {
		if _, ok := l.hashes(p); !ok {
			return errDoubled
		}
		if p.Last && p.Total >= 0 && p.Total != int64(len(p.Rows)) {
			return fmt.Errorf("the vendor counts %d records and gave %d", p.Total, len(p.Rows))
		}
		return nil
	}
	// A fault that lies between pages isn't mended by asking for this one again.
	got := l.got + int64(len(p.Rows))
	switch _, ok := l.hashes(p); {
	case !ok:
		return errAnew("a page of a long answer has records twice", errDoubled)
	case p.Next != "" && p.Next == l.page.Next:
		return errAnew("a page of a long answer is followed by itself", nil)
	case l.total >= 0 && (p.Last && got != l.total || got > l.total):
		return errAnew("a long answer has not as many records as its beginning said", fmt.Errorf("%d of %d records", got, l.total))
	}
	return nil
}

func errAnew(what string, err error) error {
	return worker.Transient(codeBroken, what+"; it is asked for from the beginning", err)
}

func (l *List) hashes(p Page) (map[uint64]struct{}, bool) {
	m := make(map[uint64]struct{}, len(p.Rows))
	for _, raw := range p.Rows {
		h := maphash.Bytes(l.seed, raw)
		_, here := m[h]
		_, there := l.before[h]
		if here || there {
			return nil, false
		}
		m[h] = struct{}{}
	}
	return m, true
}

// take makes a page that was checked the list's last.
func (l *List) take(p Page) {
	if !l.begun {
		l.begun, l.total = true, p.Total
	}
	l.before = nil
	if p.Next != "" {
		l.before, _ = l.hashes(p)
	}
	l.page, l.got = p, l.got+int64(len(p.Rows))
}

// pageRefused makes an error for a further page that the vendor refused. It is never
// final: page names expire, with the access token too, and what is to be refused
// for good is so when the list is asked for from the beginning.
func pageRefused(vendor string, err error) error {
	var e *worker.Error
	if errors.As(err, &e) && e.Permanent() {
		return worker.Transient("page-refused", vendor+" no longer gives a page of a long answer; it is asked for from the beginning", err)
	}
	return err
}
