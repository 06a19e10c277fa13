package intake_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	identifiers "habeas.dev/pkg/identifier"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/intake"
	"habeas.dev/services/internal/journal/open"
)

// TestSameContent: the same request again, however it is written down, at
// whichever door, is answered as the first time, byte for byte, and starts
// nothing. After its keys were destroyed nobody can tell any more whether it is the same,
// and it is refused.
func TestSameContent(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	two := []any{identifier("email", address), identifier("phone", "+352 123456")}
	first := w.post(text(t, request(with("identifiers", two))))
	if first.Code != http.StatusAccepted {
		t.Fatal(first.Body)
	}
	before, err := w.journal.Facts(t.Context(), requestID, 1)
	must(t, err)
	same := map[string][]byte{
		"the same":                    text(t, request(with("identifiers", two))),
		"the identifiers turned":      text(t, request(with("identifiers", []any{two[1], two[0]}))),
		"another zone":                text(t, request(with("identifiers", two), with("received_at", "2026-11-20T10:30:00+01:00"))),
		"empty details":               text(t, request(with("identifiers", two), with("details", map[string]any{}))),
		"a fraction that is zero":     text(t, request(with("identifiers", two), with("received_at", "2026-11-20T09:30:00.000Z"))),
		"verified said to be false":   text(t, request(with("identifiers", []any{map[string]any{"type": "email", "value": address, "verified": false}, two[1]}))),
		"letters written as escapes":  []byte(strings.Replace(string(text(t, request(with("identifiers", two)))), "access", `\u0061ccess`, 1)),
		"members in the other order":  turned(t, request(with("identifiers", two))),
		"white space between members": indented(t, request(with("identifiers", two))),
	}
	for name, data := range same {
		if answer := w.post(data); answer.Code != http.StatusAccepted || answer.Body.String() != first.Body.String() {
			t.Errorf("%s, over HTTP: %d %s", name, answer.Code, answer.Body)
		}
		if err := w.publish(requestID, data); err != nil || len(w.rejected) > 0 {
			t.Errorf("%s, on the topic: %v, %d rejected", name, err, len(w.rejected))
		}
	}
	must(t, w.Intake.Vault.Shred(t.Context(), requestID))
	if _, err := w.Submit(t.Context(), same["the same"]); !errors.Is(err, intake.ErrShredded) {
		t.Errorf("after its keys were destroyed: %v", err)
	}
	if after, err := w.journal.Facts(t.Context(), requestID, 1); err != nil || len(after) != len(before) {
		t.Errorf("%d facts became %d: %v", len(before), len(after), err)
	}
}

func turned(t *testing.T, data map[string]any) []byte {
	t.Helper()
	var members []string
	for name, value := range data {
		members = append(members, fmt.Sprintf("%q:%s", name, text(t, value)))
	}
	slices.Sort(members)
	slices.Reverse(members)
	return []byte("{" + strings.Join(members, ",") + "}")
}

func indented(t *testing.T, data map[string]any) []byte {
	t.Helper()
	b, err := json.MarshalIndent(data, "\r\n", "\t")
	must(t, err)
	return b
}

// TestOtherContent: the same request_id with other content is a conflict at
// both doors, and changes nothing.
func TestOtherContent(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	if first := w.post(text(t, request())); first.Code != http.StatusAccepted {
		t.Fatal(first.Body)
	}
	accepted := w.accepted(requestID)
	for name, change := range map[string]func(map[string]any){
		"another right":         with("right", "erasure"),
		"another jurisdiction":  with("jurisdiction", "UK"),
		"another time":          with("received_at", "2026-11-20T09:30:01Z"),
		"another source":        with("source", "desk"),
		"another identifier":    with("identifiers", []any{identifier("email", "x"+address)}),
		"one identifier more":   with("identifiers", []any{identifier("email", address), identifier("phone", "1234")}),
		"not verified":          with("identifiers", []any{identifier("email", address)}),
		"another locale":        with("locale", "en"),
		"details that it lacks": with("details", map[string]any{"lift": true}),
	} {
		data := text(t, request(change))
		if answer := w.post(data); answer.Code != http.StatusConflict || code(t, answer) != "conflict" {
			t.Errorf("%s, over HTTP: %d %s", name, answer.Code, answer.Body)
		}
		must(t, w.publish(requestID, data))
		if r := w.lastRejected(); r.Code != "conflict" || r.RequestID != requestID {
			t.Errorf("%s, on the topic: %+v", name, r)
		}
	}
	if after := w.accepted(requestID); after.Digest != accepted.Digest || after.Right != accepted.Right {
		t.Errorf("it is another request now: %+v", after)
	}
}

// TestAtTheSameTime: of many who submit one request_id, one is first and the
// others are told what a repeat is told.
func TestAtTheSameTime(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	same, other := text(t, request()), text(t, request(with("source", "desk")))
	var all sync.WaitGroup
	var mu sync.Mutex
	receipts := map[string]int{}
	for i := range 40 {
		all.Go(func() {
			data := [][]byte{same, other}[i%2]
			receipt, err := w.Submit(t.Context(), data)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				receipts[err.Error()]++
				return
			}
			receipts[string(text(t, receipt))]++
		})
	}
	all.Wait()
	if len(receipts) != 2 {
		t.Errorf("answers: %v", receipts)
	}
	for answer, n := range receipts {
		if n != 20 {
			t.Errorf("%d times %s", n, answer)
		}
	}
}

// TestDownIsNotRefused: while a store is down, nothing is refused and nothing
// lost: HTTP says try again, the record stays on the topic.
func TestDownIsNotRefused(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	good, bad := text(t, request()), []byte("not JSON")
	w.set(errors.New("the disk is full"), nil)
	if answer := w.post(good); answer.Code != http.StatusServiceUnavailable || code(t, answer) != "unavailable" {
		t.Errorf("over HTTP: %d %s", answer.Code, answer.Body)
	}
	if err := w.publish(requestID, good); err == nil {
		t.Error("the topic's record is done with")
	}
	if err := w.publish(requestID, bad); err == nil {
		t.Error("a bad record is done with, though it could not be sealed")
	}
	w.set(nil, errors.New("no broker"))
	if err := w.publish(requestID, bad); err == nil {
		t.Error("a bad record is done with, though nobody heard of it")
	}
	w.set(nil, nil)
	if len(w.rejected) > 0 {
		t.Errorf("%d were rejected", len(w.rejected))
	}
	must(t, w.publish(requestID, bad))
	if r := w.lastRejected(); r.Code != "not-json" {
		t.Errorf("%+v", r)
	}
	must(t, w.publish(requestID, good))
	if a := w.accepted(requestID); a.RequestID != requestID {
		t.Error("afterwards it isn't taken in")
	}
}

// metacharacters returns what breaks out of a query, a path, a page, a template, a
// shell or a log.
func metacharacters() []string {
	return []string{
		"' OR '1'='1", `'; DROP TABLE requests; --`, `"; DELETE FROM facts WHERE 1=1; --`, `\'; --`, "') UNION SELECT * FROM facts --", "%' AND Email LIKE '%", "_%",
		`\\`, "/*", "*/", "#", "$1", "?", ":name", "@x", "{{7*7}}", "${jndi:ldap://x/a}", "<script>alert(1)</script>", "../../etc/passwd", "$(id)", "`id`", "|", "&&",
		"=1+1", "%s%n", "a\u2028b", "a\u202eb", "O’Brien", "名前", "\U0001f600", "ﬁ", "null", "ORDER BY Id LIMIT 1", "FIND {x} IN ALL FIELDS",
	}
}

// TestMetacharacters puts them into every field, on a real database: what may
// hold any text takes them as they are, what can't refuses them, and everything
// else is as it was.
func TestMetacharacters(t *testing.T) {
	t.Parallel()
	w := &fixture{t: t, contract: newContract(t)}
	var err error
	w.journal, err = open.Open(t.Context(), filepath.Join(t.TempDir(), "journal.db"))
	must(t, err)
	defer w.journal.Close()
	w.start()
	n := 0
	next := func() string { n++; return fmt.Sprintf("9f0d6c0e-6f0f-4b43-9f0f-%012d", n) }
	for _, evil := range metacharacters() {
		id := next()
		known := evil
		if strings.ContainsAny(evil, "\u2028\u202e") { // what isn't read as it is written is no identifier
			known = "x"
		}
		address, typ := "a"+known+"@"+known+"z", "email"
		if identifiers.Malformed("email", address) != "" { // which is refused
			typ = "customer_ref"
			if answer := w.post(text(t, request(with("request_id", next()), with("identifiers", []any{identifier("email", address)})))); answer.Code != http.StatusBadRequest {
				t.Errorf("the address with %q: %d %s", evil, answer.Code, answer.Body)
			}
		}
		data := request(with("request_id", id), with("right", "rectification"),
			with("identifiers", []any{identifier("customer_ref", known), identifier(typ, address), identifier("loyalty_no", "1"+known)}),
			with("details", map[string]any{"corrections": []any{map[string]any{"column": "name", "value": evil}}}))
		if n%2 == 0 {
			if answer := w.post(text(t, data)); answer.Code != http.StatusAccepted {
				t.Fatalf("%q: %d %s", evil, answer.Code, answer.Body)
			}
		} else {
			must(t, w.publish(id, text(t, data)))
		}
		if len(w.rejected) > 0 {
			t.Fatalf("%q is rejected: %s", evil, w.rejected[0].Data)
		}
		a := w.accepted(id)
		if got := w.values(a); !slices.Equal(got, []string{known, "a" + known + "@" + known + "z", "1" + known}) {
			t.Errorf("%q is taken in as %q", evil, got)
		}
		for _, field := range []string{"request_id", "right", "jurisdiction", "received_at", "locale"} {
			if answer := w.post(text(t, request(with("request_id", next()), with(field, evil)))); answer.Code != http.StatusBadRequest {
				t.Errorf("%s %q: %d", field, evil, answer.Code)
			}
		}
		for _, details := range []map[string]any{
			{"purposes": []any{evil}}, {"corrections": []any{map[string]any{"column": evil, "value": ""}}},
			{"corrections": []any{map[string]any{"column": "c", "system": evil, "value": ""}}}, {"corrections": []any{map[string]any{"column": "c", "dataset": evil, "value": ""}}},
		} {
			// null is a word that a purpose or a column can have.
			answer := w.post(text(t, request(with("request_id", next()), with("details", details))))
			if answer.Code != http.StatusBadRequest && (answer.Code != http.StatusAccepted || evil != "null") {
				t.Errorf("%v: %d %s", details, answer.Code, answer.Body)
			}
		}
		if answer := w.post(text(t, request(with("request_id", next()), with("identifiers", []any{identifier(evil, "x")})))); answer.Code != http.StatusBadRequest {
			t.Errorf("a type %q: %d", evil, answer.Code)
		}
	}
	counts, err := w.journal.Counts(t.Context())
	total := 0
	for _, c := range counts {
		total += c
	}
	if err != nil || total < len(metacharacters()) {
		t.Errorf("the journal has %v requests, %v", counts, err)
	}
}

// TestTwiceTheSamePerson: identifiers that are the same to a system are one.
func TestTwiceTheSamePerson(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	upper := map[string]any{"type": "email", "value": " " + strings.ToUpper(canary) + "@Example.com ", "verified": true}
	must(t, w.publish(requestID, text(t, request(with("identifiers", []any{identifier("email", address), upper})))))
	a := w.accepted(requestID)
	if len(a.Identifiers) != 1 || a.Identifiers[0].Assurance != dsar.AssuranceVerified || w.values(a)[0] != address {
		t.Errorf("%d identifiers", len(a.Identifiers))
	}
}

// TestDue: the answer's date is the jurisdiction's, from receipt.
func TestDue(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	must(t, w.publish(requestID, text(t, request())))
	if a := w.accepted(requestID); a.DueAt.Sub(a.ReceivedAt) < 28*24*time.Hour || !a.AcceptedAt.Equal(now) || len(a.Systems) != 1 {
		t.Errorf("%+v", a)
	}
}

// TestDetails: what some rights need beside the subject is sealed, and opens
// for the workers.
func TestDetails(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	details := map[string]any{"corrections": []any{map[string]any{"column": "name", "value": canary}}}
	must(t, w.publish(requestID, text(t, request(with("right", "rectification"), with("details", details)))))
	a := w.accepted(requestID)
	keys, err := w.vault.Keys(t.Context(), requestID)
	must(t, err)
	plain, err := keys.Open(a.Details, vault.RequestDetails)
	must(t, err)
	var got event.Details
	must(t, json.Unmarshal(plain, &got))
	if a.Right != dsar.Rectification || len(got.Corrections) != 1 || got.Corrections[0].Value != canary {
		t.Errorf("%+v", got)
	}
}

// TestCanary reads everything that is written down of a request and of a record
// that was rejected: in the open there is nothing of the person.
func TestCanary(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	details := map[string]any{"corrections": []any{map[string]any{"column": "name", "value": canary}}}
	must(t, w.publish(requestID, text(t, request(with("right", "rectification"), with("details", details)))))
	must(t, w.publish(address, []byte(canary), func(h map[string]string) { h["x-for"], h["ce_subject"] = address, address }))
	w.accepted(requestID)
	row, err := w.journal.Row(context.Background(), requestID)
	must(t, err)
	w.discreet("the row", fmt.Sprintf("%+v", row))
	for name, content := range w.bucket.Blobs() {
		w.discreet("the vault", name, string(content))
	}
	w.discreet("the log", w.log.String())
	if got := w.reads(w.lastRejected()); string(got.Key) != address || string(got.Value) != canary || got.Headers["x-for"] != address {
		t.Error("the sealed record isn't what came")
	}
}

// FuzzSubmit: what the schema takes, the decoder takes, too; nothing panics,
// and nothing but a refusal comes back.
func FuzzSubmit(f *testing.F) {
	f.Add(text(f, request()))
	f.Add(text(f, request(with("details", map[string]any{"purposes": []any{"a"}}))))
	f.Add([]byte(`{"request_id":1}`))
	f.Add([]byte("\xff"))
	c := newContract(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		if c.validator.ValidateData(event.TypeSubmitted, data) != nil {
			return
		}
		var s event.Submitted
		if err := json.Unmarshal(data, &s); err != nil {
			t.Errorf("the schema takes what the decoder doesn't: %v", err)
		}
	})
}

// TestLawOfAFolder: a law that came as a file is asked under like a built-in one: its
// rights are granted, its clock counts, and what it doesn't grant is refused by name.
func TestLawOfAFolder(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	if res := w.post(text(t, request(with("jurisdiction", "Texas"), with("right", "opt-out")))); res.Code != http.StatusAccepted {
		t.Fatalf("%d: %s", res.Code, res.Body)
	}
	if a := w.accepted(requestID); a.Jurisdiction != "Texas" || a.DueAt.In(central(t)).Format(time.DateOnly) != a.ReceivedAt.In(central(t)).AddDate(0, 0, 45).Format(time.DateOnly) {
		t.Errorf("due %s, received %s", a.DueAt, a.ReceivedAt)
	}
	if res := w.post(text(t, request(with("jurisdiction", "Texas"), with("right", "objection"), with("request_id", "1f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11")))); res.Code != http.StatusBadRequest || !strings.Contains(res.Body.String(), "Texas grants") {
		t.Errorf("%d: %s", res.Code, res.Body)
	}
}

func central(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("America/Chicago")
	must(t, err)
	return zone
}
