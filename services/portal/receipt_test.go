package portal_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"gocloud.dev/blob/memblob"

	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/keeper"
	"habeas.dev/services/internal/outbox"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/receipt"
	"habeas.dev/services/internal/signkey"
)

// receipted does what the coordinator owes to an answered request: its receipt is issued,
// and then lies beside its answer. It returns the identity of the answer's own, which an
// agent gives out under a passphrase.
func (s *site) receipted(id string) *age.X25519Identity {
	s.Helper()
	own, err := age.GenerateX25519Identity()
	s.must(err)
	v, err := vault.InMemory(s.Context())
	s.must(err)
	_, err = v.CreateKeys(s.Context(), id)
	s.must(err)
	key, err := signkey.Create(filepath.Join(s.TempDir(), "log.key"), "privacy.example.com/log")
	s.must(err)
	log, err := receipt.NewLog(receipt.Config{Journal: s.journal, Key: key, Mirror: memblob.OpenBucket(nil)})
	s.must(err)
	book, err := policy.Load()
	s.must(err)
	hands := receipt.Handing{Requests: s.requests, Journal: s.journal, Vault: v, Log: log, Outbox: s.outbox, Identity: func(context.Context, string) (string, error) { return own.String(), nil }, Key: key.Verifier, Policy: book}
	k := keeper.Keeper{Requests: s.requests, Vault: v, Receipts: &receipt.Issuer{Requests: s.requests, Rows: s.journal, Vault: v, Now: s.clock}, Leave: hands.Leave, Now: s.clock}
	for range 2 {
		state, err := s.requests.State(s.Context(), id)
		s.must(err)
		for _, duty := range state.Duties(s.clock()) {
			s.must(k.Do(s.Context(), id, duty))
		}
	}
	if state, err := s.requests.State(s.Context(), id); err != nil || state.ReceiptLeft == nil || state.ReceiptLeft.Object == "" || len(state.Duties(s.clock())) != 0 {
		s.Fatalf("%+v, %v", state.ReceiptLeft, err)
	}
	return own
}

// TestReceiptIsLeft: who has the passphrase receives the receipt with its proof beside the
// answer, sealed as that is; nobody else is served it.
func TestReceiptIsLeft(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.made(nil)
	s.completed(id)
	file := "/r/" + id + "/receipt.html.age"
	if page := s.get("/r/" + id); strings.Contains(page.text, file) {
		t.Error("a receipt is offered that isn't there")
	}
	own := s.receipted(id)
	if page := s.get(file); page.status != http.StatusForbidden {
		t.Errorf("without the passphrase: %d", page.status)
	}
	if page := s.post("/r/"+id+"/receive", url.Values{"passphrase": {passphrase}}); page.status != http.StatusOK || !strings.Contains(page.text, file) {
		t.Fatalf("%d: %s", page.status, page.text)
	}
	sealed, key := s.get(file), s.get("/r/"+id+"/key.age")
	if sealed.status != http.StatusOK {
		t.Fatalf("%d", sealed.status)
	}
	i, err := age.NewScryptIdentity(passphrase)
	s.must(err)
	text, err := age.Decrypt(strings.NewReader(key.text), i)
	s.must(err)
	ids, err := age.ParseIdentities(text)
	s.must(err)
	plain, err := age.Decrypt(strings.NewReader(sealed.text), ids...)
	s.must(err)
	page, err := io.ReadAll(plain)
	s.must(err)
	for _, part := range []string{id, "c2sp.org/tlog-proof@v1", "privacy.example.com/log"} {
		if !strings.Contains(string(page), part) {
			t.Errorf("the receipt lacks %q", part)
		}
	}
	if script := s.get("/assets/check.js"); script.status != http.StatusOK || !strings.Contains(script.text, "export { checkReceipt }") || !strings.Contains(script.header.Get("Content-Type"), "javascript") {
		t.Errorf("%d %v", script.status, script.header)
	}
	// Who is given another passphrase by an agent opens it, too.
	if left, err := s.outbox.ReadAll(t.Context(), outbox.ReceiptName(id)); err != nil {
		t.Error(err)
	} else if _, err := age.Decrypt(bytes.NewReader(left), own); err != nil {
		t.Errorf("by the answer's own identity: %v", err)
	}
	_, err = s.requests.Do(t.Context(), id, core.Forget{By: core.ByPolicy, Part: core.PartRecords, Document: []byte("d"), Salt: []byte("s"), Leaf: []byte("l"), Now: s.clock().AddDate(0, 0, 31)})
	s.must(err)
	if page := s.get(file); page.status != http.StatusForbidden {
		t.Errorf("after the answer was destroyed: %d", page.status)
	}
}
