package keeper_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/keeper"
	"habeas.dev/services/internal/receipt"
)

// TestEndUntaken: keys whose intake was killed before it had journalled the request, and that
// nobody sent again, end after a day; those of requests that are there, that were there and were
// deleted, or that a restored journal has lost, don't.
func TestEndUntaken(t *testing.T) {
	t.Parallel()
	h := newHouse(t, memjournal.New(memjournal.Config{}))
	const (
		young   = "0192f0c1-0000-7000-8000-00000000000a"
		left    = "0192f0c1-0000-7000-8000-00000000000b"
		before  = "0192f0c1-0000-7000-8000-00000000000c"
		deleted = "0192f0c1-0000-7000-8000-00000000000d"
	)
	h.Request(one, dsar.Access, "anna@example.com")
	for id, ago := range map[string]time.Duration{one: 50 * time.Hour, young: 23 * time.Hour, left: 25 * time.Hour, before: 80 * time.Hour, deleted: 50 * time.Hour, "rejected-always": 50 * time.Hour} {
		_, err := h.Vault.CreateKeys(t.Context(), id)
		must(t, err)
		writtenAt(h, id, h.Now.Add(-ago))
	}
	listedIn(t, h, deleted)
	since := h.Now.Add(-72 * time.Hour)
	for _, want := range []int{1, 0} {
		if n, err := h.Keeper.EndUntaken(t.Context(), since); n != want || err != nil {
			t.Errorf("of %d requests, want %d: %v", n, want, err)
		}
	}
	for id, gone := range map[string]bool{one: false, young: false, left: true, before: false, deleted: false, "rejected-always": false} {
		if _, err := h.Vault.Keys(t.Context(), id); errors.Is(err, vault.ErrShredded) != gone {
			t.Errorf("%s: %v", id, err)
		}
	}
	h.Now = h.Now.Add(2 * time.Hour)
	if n, err := h.Keeper.EndUntaken(t.Context(), time.Time{}); n != 2 || err != nil {
		t.Errorf("two hours later, and nothing was restored: of %d requests: %v", n, err)
	}
}

// TestOneRowThatCannotBeRead: its request is in the journal, and keeps its keys; those of others
// that were never taken in end all the same.
func TestOneRowThatCannotBeRead(t *testing.T) {
	t.Parallel()
	h := newHouse(t, memjournal.New(memjournal.Config{}))
	const broken, left = "0192f0c1-0000-7000-8000-00000000000a", "0192f0c1-0000-7000-8000-00000000000b"
	for _, id := range []string{broken, left} {
		_, err := h.Vault.CreateKeys(t.Context(), id)
		must(t, err)
		writtenAt(h, id, h.Now.Add(-25*time.Hour))
	}
	h.Keeper.Journal = unreadable{h.Keeper.Journal, broken}
	if n, err := h.Keeper.EndUntaken(t.Context(), time.Time{}); n != 1 || err != nil {
		t.Errorf("of %d requests: %v", n, err)
	}
	if err := h.Keeper.ForgetNeverTaken(t.Context(), broken); !errors.Is(err, keeper.ErrTaken) {
		t.Error(err)
	}
	if _, err := h.Vault.Keys(t.Context(), broken); err != nil {
		t.Error(err)
	}
}

// unreadable is a journal with a row that can't be read.
type unreadable struct {
	keeper.Journal
	id string
}

// Row implements keeper.Journal.
func (u unreadable) Row(ctx context.Context, id string) (journal.Row, error) {
	if id == u.id {
		return journal.Row{}, &journal.UnreadableError{Table: "request", Key: id}
	}
	return u.Journal.Row(ctx, id)
}

// listedIn has the list of heads name a request that isn't in the house's journal.
func listedIn(t *testing.T, h *house, id string) {
	t.Helper()
	elsewhere := newHouse(t, memjournal.New(memjournal.Config{}))
	elsewhere.Request(id, dsar.Access, "anna@example.com")
	must(t, receipt.ListHeads(t.Context(), elsewhere.Journal))
	links, err := elsewhere.Journal.HeadsLinks(t.Context(), 1, 1)
	must(t, err)
	h.Keeper.Journal = listing{h.Keeper.Journal, links}
}

// writtenAt sets when the keys of a request were last written.
func writtenAt(h *house, id string, at time.Time) {
	h.Helper()
	set := 0
	must(h, filepath.WalkDir(filepath.Join(h.Dir, "keys"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasPrefix(d.Name(), id) {
			return err
		}
		set++
		return os.Chtimes(path, at, at)
	}))
	if set == 0 {
		h.Fatalf("no file has keys of %s", id)
	}
}

// listing is a journal with another's list of heads.
type listing struct {
	keeper.Journal
	links []journal.HeadsLink
}

// HeadsLinks implements keeper.Journal.
func (l listing) HeadsLinks(_ context.Context, from int64, _ int) ([]journal.HeadsLink, error) {
	return l.links[min(int(from)-1, len(l.links)):], nil
}
