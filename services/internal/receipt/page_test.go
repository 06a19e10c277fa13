package receipt_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gocloud.dev/blob/memblob"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"filippo.io/torchwood"
	"habeas.dev/services/internal/browsertest"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/receipt"
	"habeas.dev/services/internal/words"
)

// receipts returns receipts of some places in a log, and the log's verifier key.
func receipts(t *testing.T, size int, at ...int64) (list []receipt.Receipt, key string) {
	t.Helper()
	made, j := newKey(t, "privacy.example.com/log"), memjournal.New(memjournal.Config{})
	documents := make([][]byte, size)
	for i := range size {
		id := fmt.Sprintf("9f0d6c0e-6f0f-4b43-9f0f-%012d", i)
		var err error
		documents[i], err = json.Marshal(receipt.Document{Form: "habeas.dev/receipt/v1", Request: id, Right: "erasure", Jurisdiction: "EEA", Received: start, Ended: start.AddDate(0, 0, 3), Status: "completed", Facts: 20, Head: "00"})
		must(t, err)
		must(t, j.Append(t.Context(), journal.Append{RequestID: id, Facts: []journal.NewFact{{Type: "receipt.issued", Data: []byte("{}"), At: start}}, Row: journal.Row{ReceivedAt: start, UpdatedAt: start}, Leaf: receipt.Leaf(documents[i], salt)}))
	}
	l := newLog(t, j, made, memblob.OpenBucket(nil))
	for _, i := range at {
		proof, err := l.Proof(t.Context(), i, salt)
		must(t, err)
		if err := torchwood.VerifyProof(policy(t, made), tlog.RecordHash(receipt.Leaf(documents[i], salt)), proof); err != nil {
			t.Fatal(err)
		}
		list = append(list, receipt.Receipt{Document: documents[i], Proof: proof, Index: i})
	}
	return list, made.Verifier
}

// TestPage: a receipt's page has the receipt and its proof as they are, in the person's
// language, and nothing that it would have to load.
func TestPage(t *testing.T) {
	t.Parallel()
	list, key := receipts(t, 3, 1)
	for tag, want := range map[string]string{"en": "23 November 2026", "fr": "23 novembre 2026"} {
		page, err := receipt.Page(list[0], key, words.For(tag), time.Time.UTC)
		must(t, err)
		for _, part := range []string{want, `<html lang="` + tag + `">`, strings.Split(string(list[0].Proof), "\n")[5]} {
			if !strings.Contains(strings.ReplaceAll(string(page), "&#43;", "+"), part) {
				t.Errorf("%s: %q isn't there", tag, part)
			}
		}
		for _, bad := range []string{"src=", "href=", "http:", "https:", "ZgotmplZ"} {
			if strings.Contains(strings.ReplaceAll(string(page), `document.getElementById`, ""), bad) {
				t.Errorf("%s: the page has %q", tag, bad)
			}
		}
	}
	if _, err := receipt.Page(receipt.Receipt{Document: []byte(`{"form":"habeas.dev/forgotten/v1"}`)}, key, words.English(), time.Time.UTC); err == nil {
		t.Error("something else has a page")
	}
}

// TestBrowserReceipt: a receipt's page, opened from a file, checks itself. The script
// judges every altered proof as the verifier in Go does, in trees of many shapes.
func TestBrowserReceipt(t *testing.T) {
	t.Parallel()
	browser := browsertest.Start(t)
	p := browser.Page(t)
	open := func(r receipt.Receipt, key, lang string) {
		t.Helper()
		page, err := receipt.Page(r, key, words.For(lang), time.Time.UTC)
		must(t, err)
		path := filepath.Join(t.TempDir(), "receipt.html")
		must(t, os.WriteFile(path, page, 0o600))
		p.Open("file://" + path)
	}
	for _, size := range []int{1, 2, 3, 7, 8, 21} {
		at := []int64{0, int64(size / 2), int64(size - 1)}
		list, key := receipts(t, size, at...)
		for _, r := range list {
			open(r, key, "en")
			p.True(fmt.Sprintf(`document.querySelector("#check .good")?.textContent.includes("entry %d of the log privacy.example.com/log")`, r.Index))
		}
	}
	list, key := receipts(t, 13, 5)
	r := list[0]
	for _, l := range []browsertest.Look{{Width: 390}, {Width: 1280, Dark: true}} {
		open(r, key, "fr")
		p.As(l)
		p.Says("#check", "La preuve est valable")
		p.Fits()
		p.Usable()
		p.Shoot("receipt-" + l.Name())
	}
	v, err := note.NewVerifier(key)
	must(t, err)
	other := newKey(t, "privacy.example.com/log")
	verdicts := func(list [][3]string) []bool {
		t.Helper()
		text, err := json.Marshal(list)
		must(t, err)
		return browsertest.Eval[[]bool](p, `Promise.all(`+string(text)+`.map(a => checkReceipt(...a).then(() => true, () => false)))`)
	}
	var tries [][3]string
	var want []bool
	try := func(document, proof, key string, holds bool) {
		tries, want = append(tries, [3]string{document, proof, key}), append(want, holds)
	}
	try(string(r.Document), string(r.Proof), key, true)
	try(string(r.Document)+" ", string(r.Proof), key, false)
	try(string(r.Document), string(r.Proof), other.Verifier, false)
	for i := range r.Proof {
		bad := []byte(string(r.Proof))
		if bad[i] ^= 1; bad[i] >= 0x80 {
			continue // half of a letter isn't text
		}
		_, err := receipt.Verify(bad, r.Document, v)
		try(string(r.Document), string(bad), key, err == nil)
	}
	for i, got := range verdicts(tries) {
		if got != want[i] {
			t.Errorf("try %d: the script says %v, and it is %v", i, got, want[i])
		}
	}
}
