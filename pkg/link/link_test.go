package link_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/vault"
)

const request = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"

// fixture is a coordinator's end, and the keys of workers.
type fixture struct {
	*testing.T
	link.Memory
	vault *vault.Vault
	hub   *link.Hub
	now   time.Time
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	f := &fixture{T: t, now: time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)}
	var err error
	if f.vault, err = vault.InMemory(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := f.vault.CreateKeys(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	f.hub = link.NewHub(f.vault, &f.Memory, func() time.Time { return f.now })
	return f
}

func (f *fixture) key(system string) *link.Key {
	k, err := f.Key(system)
	if err != nil {
		f.Fatal(err)
	}
	return k
}

// task seals a task as the coordinator does, of which the address is known.
func (f *fixture) task(system string, a dsar.Action, attempt int) []byte {
	f.Helper()
	keys, err := f.vault.Keys(f.Context(), request)
	if err != nil {
		f.Fatal(err)
	}
	sealed, err := keys.Seal([]byte("anna@example.com"), vault.Identifier)
	if err != nil {
		f.Fatal(err)
	}
	data, err := json.Marshal(dsar.Task{RequestID: request, System: system, Action: a, Attempt: attempt, Right: dsar.Erasure, Lease: 10 * time.Minute,
		Identifiers: []dsar.Identifier{{Type: "email", Sealed: sealed, Assurance: dsar.AssuranceVerified}}})
	if err != nil {
		f.Fatal(err)
	}
	out, err := f.hub.SealTask(f.Context(), data)
	if err != nil {
		f.Fatal(err)
	}
	return out
}

func (f *fixture) parse(data []byte) link.Envelope {
	f.Helper()
	e, err := link.Parse(data)
	if err != nil {
		f.Fatal(err)
	}
	return e
}

// report seals what a worker says.
func (f *fixture) report(by *link.Key, nonce []byte, r dsar.Report) link.Envelope {
	f.Helper()
	data, err := json.Marshal(r)
	if err != nil {
		f.Fatal(err)
	}
	out, err := by.SealReport(link.Envelope{RequestID: r.RequestID, System: r.System, Action: r.Action, Attempt: r.Attempt}, nonce, data)
	if err != nil {
		f.Fatal(err)
	}
	return f.parse(out)
}

// TestSealedApart: a task opens as what it is, for its worker, while it is good; changed
// in anything, or handed to another, it opens not at all.
func TestSealedApart(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	sent := f.task("account", dsar.Gather, 1)
	if bytes.Contains(sent, []byte("anna")) {
		t.Fatal("the address is in the open")
	}
	good := f.parse(sent)
	opened, err := f.key("account").OpenTask(good, f.now)
	if err != nil {
		t.Fatal(err)
	}
	grant, err := opened.ReadGrant(t.Context(), f.vault.Objects)
	if err != nil || len(grant.Identifiers) != 1 || grant.Identifiers[0].Value != "anna@example.com" || bytes.Contains(opened.Data, []byte("identifiers")) {
		t.Fatalf("%+v, %s, %v", grant, opened.Data, err)
	}
	for name, change := range map[string]func(*link.Envelope){
		"erase":           func(e *link.Envelope) { e.Action = dsar.Erase },
		"another attempt": func(e *link.Envelope) { e.Attempt = 2 },
		"another request": func(e *link.Envelope) { e.RequestID = "0b6fd3a2-1d7c-4c53-8f53-70d5f2f0a9c4" },
		"another system":  func(e *link.Envelope) { e.System = "billing" },
		"cut":             func(e *link.Envelope) { e.Sealed = e.Sealed[:len(e.Sealed)-1] },
		"one bit":         func(e *link.Envelope) { e.Sealed[len(e.Sealed)/2] ^= 1 },
		"nothing":         func(e *link.Envelope) { e.Sealed = []byte("x") },
	} {
		e := good
		e.Sealed = bytes.Clone(good.Sealed)
		change(&e)
		if _, err := f.key("account").OpenTask(e, f.now); !errors.Is(err, link.ErrNotSealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.key("billing").OpenTask(good, f.now); !errors.Is(err, link.ErrNotSealed) {
		t.Errorf("another worker opens it: %v", err)
	}
	if _, err := f.hub.OpenReport(t.Context(), good); !errors.Is(err, link.ErrNotSealed) {
		t.Errorf("a task is taken for a report: %v", err)
	}
	if _, err := f.key("account").OpenTask(good, f.now.Add(13*time.Minute)); !errors.Is(err, link.ErrExpired) {
		t.Errorf("after its end: %v", err)
	}
	f.now = f.now.Add(time.Hour) // sent anew, it is good again
	if _, err := f.key("account").OpenTask(f.parse(f.task("account", dsar.Gather, 1)), f.now); err != nil {
		t.Error(err)
	}
}

// TestReportsAreOfTheirTask: a report counts where its worker sealed it and it repeats
// what that attempt's task said.
func TestReportsAreOfTheirTask(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	nonce := func(system string, a dsar.Action, attempt int) []byte {
		opened, err := f.key(system).OpenTask(f.parse(f.task(system, a, attempt)), f.now)
		if err != nil {
			t.Fatal(err)
		}
		return opened.Nonce
	}
	mine := nonce("account", dsar.Erase, 1)
	r := dsar.Report{RequestID: request, System: "account", Action: dsar.Erase, Attempt: 1, Kind: dsar.ReportEnded, Outcome: dsar.Erased, Detail: []byte("says anna@example.com"),
		Found: []dsar.FoundIdentifier{{Type: "email", Value: "b@example.com", FromType: "email", From: "anna@example.com"}, {Type: "email", Value: "B@example.com"}}}
	got, err := f.hub.OpenReport(t.Context(), f.report(f.key("account"), mine, r))
	if err != nil || got.Outcome != dsar.Erased || len(got.Found) != 0 || len(got.Identifiers) != 1 || bytes.Contains(got.Detail, []byte("anna")) ||
		got.Identifiers[0].From != f.print("email", "anna@example.com") || got.Identifiers[0].From == f.vault.Fingerprint("email", "anna@example.com") {
		t.Errorf("%+v, %v", got, err)
	}
	for name, e := range map[string]struct {
		e    link.Envelope
		want error
	}{
		"by another worker's key":      {f.report(f.key("billing"), mine, r), link.ErrNotSealed},
		"with another attempt's nonce": {f.report(f.key("account"), nonce("account", dsar.Erase, 2), r), link.ErrNonce},
		"with another action's nonce":  {f.report(f.key("account"), nonce("account", dsar.Prove, 1), r), link.ErrNonce},
		"with another system's nonce":  {f.report(f.key("account"), nonce("billing", dsar.Erase, 1), r), link.ErrNonce},
		"without a nonce":              {f.report(f.key("account"), nil, r), link.ErrNonce},
	} {
		if got, err := f.hub.OpenReport(t.Context(), e.e); !errors.Is(err, e.want) || !reflect.DeepEqual(got, dsar.Report{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	swapped := f.report(f.key("account"), mine, r)
	swapped.Attempt = 2
	if _, err := f.hub.OpenReport(t.Context(), swapped); !errors.Is(err, link.ErrNotSealed) {
		t.Errorf("of another attempt: %v", err)
	}
}

// TestUnreadableReportsOfTheirTask: of a report that can't be read it is said of which attempt
// it is where that attempt's worker sent it, and of no other: least of all of one that it names
// itself, which may be another worker's.
func TestUnreadableReportsOfTheirTask(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	opened, err := f.key("account").OpenTask(f.parse(f.task("account", dsar.Erase, 1)), f.now)
	if err != nil {
		t.Fatal(err)
	}
	of := link.Envelope{RequestID: request, System: "account", Action: dsar.Erase, Attempt: 1}
	others, err := json.Marshal(dsar.Report{RequestID: request, System: "billing", Action: dsar.Erase, Attempt: 1, Kind: dsar.ReportEnded})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		nonce []byte
		data  string
		told  bool
	}{{opened.Nonce, "", true}, {opened.Nonce, `{"outcome":7}`, true}, {nil, "", false}, {[]byte("another"), "{", false}, {opened.Nonce, string(others), true}, {nil, string(others), false}} {
		want := dsar.Report{}
		if c.told {
			want = dsar.Report{RequestID: request, System: "account", Action: dsar.Erase, Attempt: 1}
		}
		sealed, err := f.key("account").SealReport(of, c.nonce, []byte(c.data))
		if err != nil {
			t.Fatal(err)
		}
		r, err := f.hub.OpenReport(t.Context(), f.parse(sealed))
		if !errors.Is(err, link.ErrNotPlain) || !reflect.DeepEqual(r, want) {
			t.Errorf("%q: %+v, %v", c.data, r, err)
		}
	}
}

// print returns the fingerprint that an identifier has in the request.
func (f *fixture) print(typ dsar.IdentifierType, value string) string {
	f.Helper()
	keys, err := f.vault.Keys(f.Context(), request)
	if err != nil {
		f.Fatal(err)
	}
	print, err := keys.Fingerprint(typ, value)
	if err != nil {
		f.Fatal(err)
	}
	return print
}

// before says of every request that it was accepted before fingerprints were its own.
type before struct{}

func (before) PrintsAcross(context.Context, string) (bool, error) { return true, nil }

// TestFoundInRequestsOfBefore: what is found for a request of before is comparable with
// what its facts hold.
func TestFoundInRequestsOfBefore(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.hub = link.NewHub(f.vault, &f.Memory, func() time.Time { return f.now }, link.WithBefore(before{}))
	opened, err := f.key("account").OpenTask(f.parse(f.task("account", dsar.Resolve, 1)), f.now)
	if err != nil {
		t.Fatal(err)
	}
	r := dsar.Report{RequestID: request, System: "account", Action: dsar.Resolve, Attempt: 1, Kind: dsar.ReportEnded, Outcome: dsar.Found,
		Found: []dsar.FoundIdentifier{{Type: "account_id", Value: "A-1", FromType: "email", From: "anna@example.com"}}}
	got, err := f.hub.OpenReport(t.Context(), f.report(f.key("account"), opened.Nonce, r))
	if err != nil || len(got.Identifiers) != 1 || got.Identifiers[0].Fingerprint != f.vault.Fingerprint("account_id", "A-1") || got.Identifiers[0].From != f.vault.Fingerprint("email", "anna@example.com") {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestWorkersMakeNoFingerprints: an identifier that a report has sealed and fingerprinted
// already, so that it could be anybody's and of any assurance, is not taken in.
func TestWorkersMakeNoFingerprints(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	opened, err := f.key("account").OpenTask(f.parse(f.task("account", dsar.Resolve, 1)), f.now)
	if err != nil {
		t.Fatal(err)
	}
	forged := []dsar.Identifier{{Type: "email", Fingerprint: f.vault.Fingerprint("email", "boss@example.com"), Sealed: []byte("boss@example.com"), Assurance: dsar.AssuranceProven}}
	for name, r := range map[string]dsar.Report{
		"alone":                  {},
		"beside a detail":        {Detail: []byte("words")},
		"beside what it found":   {Found: []dsar.FoundIdentifier{{Type: "account_id", Value: "77"}}},
		"of a task that failed":  {Kind: dsar.ReportFailed, Outcome: dsar.Failed},
		"of a task not believed": {Kind: dsar.ReportRefused, Code: "not-sealed"},
	} {
		r.RequestID, r.System, r.Action, r.Attempt, r.Identifiers = request, "account", dsar.Resolve, 1, forged
		got, err := f.hub.OpenReport(t.Context(), f.report(f.key("account"), opened.Nonce, r))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(got.Identifiers) != len(r.Found) || len(got.Identifiers) == 1 && got.Identifiers[0].Type != "account_id" {
			t.Errorf("%s: %+v", name, got.Identifiers)
		}
	}
}

// TestWordsAreSealed: of what a worker says in its own words nothing is left in the open,
// and all of it opens with the request's keys; what a dataset's counts say stays.
func TestWordsAreSealed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	opened, err := f.key("account").OpenTask(f.parse(f.task("account", dsar.Gather, 1)), f.now)
	if err != nil {
		t.Fatal(err)
	}
	const canary = "anna@example.com"
	got, err := f.hub.OpenReport(t.Context(), f.report(f.key("account"), opened.Nonce, dsar.Report{RequestID: request, System: "account", Action: dsar.Gather, Attempt: 1,
		Kind: dsar.ReportEnded, Outcome: dsar.Incomplete, Code: dsar.CodeNotCovered, Reason: canary + " 1", Notes: []string{canary + " 2"}, Detail: []byte(canary + " 3"),
		Counts: []dsar.Counts{{Dataset: "cases", Uncovered: canary + " 4", Cause: &dsar.Cause{Code: "no-permission", Table: "cases"}}, {Dataset: "profile", Found: 1, Gathered: 1}}}))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := json.Marshal(got); err != nil || strings.Contains(string(text), canary) {
		t.Errorf("%s, %v", text, err)
	}
	if got.Counts[0].Uncovered != dsar.CodeNotCovered || got.Counts[0].Cause.Table != "cases" || got.Counts[1].Gathered != 1 {
		t.Errorf("%+v", got.Counts)
	}
	keys, err := f.vault.Keys(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	w, err := link.OpenWords(keys, got.Detail)
	if err != nil || w.Reason != canary+" 1" || w.Notes[0] != canary+" 2" || w.Error != canary+" 3" || w.Uncovered["cases"] != canary+" 4" {
		t.Errorf("%+v, %v", w, err)
	}
}

// TestStrangersNameNoFile: a message's system is a name before anybody looks for its key.
func TestStrangersNameNoFile(t *testing.T) {
	t.Parallel()
	for _, system := range []string{"", "../account", "/etc/account", "a/b", "a\\b", "account.json", "Account", "1st", strings.Repeat("a", 64)} {
		data, err := json.Marshal(link.Envelope{RequestID: request, System: system, Action: dsar.Gather, Attempt: 1, Sealed: []byte("x")})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := link.Parse(data); err == nil {
			t.Errorf("%q is taken for a system", system)
		}
	}
}

// TestGrantsAreForgotten: once the subject's root was ended, a task comes without a grant,
// and says why; a grant that was deleted opens no more, whoever kept the task.
func TestGrantsAreForgotten(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	old, err := f.key("account").OpenTask(f.parse(f.task("account", dsar.Gather, 1)), f.now)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.vault.DeleteObjects(t.Context(), request, "account/grant-"); err != nil {
		t.Fatal(err)
	}
	if _, err := old.ReadGrant(t.Context(), f.vault.Objects); !errors.Is(err, vault.ErrNoObject) {
		t.Errorf("a grant that was deleted: %v", err)
	}
	keys, err := f.vault.Keys(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := keys.Seal([]byte("anna@example.com"), vault.Identifier)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.vault.End(t.Context(), request, vault.SubjectRoot); err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(dsar.Task{RequestID: request, System: "account", Action: dsar.Gather, Attempt: 2, Identifiers: []dsar.Identifier{{Type: "email", Sealed: sealed}}})
	if err != nil {
		t.Fatal(err)
	}
	if data, err = f.hub.SealTask(t.Context(), data); err != nil {
		t.Fatal(err)
	}
	opened, err := f.key("account").OpenTask(f.parse(data), f.now)
	if err != nil || opened.Lost != link.LostShredded || opened.Grant.Name != "" {
		t.Errorf("%+v, %v", opened, err)
	}
}

// TestRotationWhileItIsSpread: whoever has a key's file of one rotation ago and whoever has
// this one's open each other's messages; of two ago, no more.
func TestRotationWhileItIsSpread(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "account.json")
	if made, err := link.Create(path); err != nil || !made {
		t.Fatal(made, err)
	}
	if made, err := link.Create(path); err != nil || made {
		t.Fatal("a second one was made", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatal(info.Mode(), err)
	}
	var generations []*link.Key
	for i := range 4 {
		copied := filepath.Join(dir, string(rune('a'+i)))
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(copied, text, 0o600); err != nil {
			t.Fatal(err)
		}
		k, err := link.Open(copied)
		if err != nil {
			t.Fatal(err)
		}
		generations = append(generations, k)
		if err := link.Rotate(path); err != nil {
			t.Fatal(err)
		}
	}
	about := link.Envelope{RequestID: request, System: "account", Action: dsar.Gather, Attempt: 1}
	for i, by := range generations {
		data, err := by.SealReport(about, []byte("nonce"), []byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		e, err := link.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		for j, to := range generations {
			f := newFixture(t)
			hub := link.NewHub(f.vault, only{to}, time.Now)
			_, err := hub.OpenReport(t.Context(), e)
			near := i-j <= 1 && j-i <= 1
			if opens := !errors.Is(err, link.ErrNotSealed); opens != near {
				t.Errorf("sealed by the file of rotation %d, opened by that of %d: %v", i, j, err)
			}
		}
	}
	if err := os.WriteFile(path, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := link.Open(path); err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
		t.Error(err)
	}
	if _, err := link.Open(filepath.Join(dir, "none.json")); !errors.Is(err, link.ErrNoKey) {
		t.Error(err)
	}
}

// only has one key, for whatever system.
type only struct{ key *link.Key }

func (o only) Key(string) (*link.Key, error) { return o.key, nil }

// TestGrantsEndWithRecords: what opens records, and the answer, opens no more once the
// records' root was ended, wherever a copy of the grant lies.
func TestGrantsEndWithRecords(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	keys, err := f.vault.Keys(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	scopes := []string{"account/grant-gather/1", "account/gather/1", "aggregator/grant-assemble/1"}
	before := map[string]string{}
	for _, scope := range scopes {
		k, err := keys.ObjectKey(scope)
		if err != nil {
			t.Fatal(err)
		}
		before[scope] = string(k.Secret())
	}
	if err := f.vault.End(t.Context(), request, vault.RecordsRoot); err != nil {
		t.Fatal(err)
	}
	if keys, err = f.vault.Keys(t.Context(), request); err != nil {
		t.Fatal(err)
	}
	for _, scope := range scopes {
		if k, err := keys.ObjectKey(scope); err == nil && string(k.Secret()) == before[scope] {
			t.Errorf("%s still has its key", scope)
		}
	}
	for _, scope := range []string{"account/grant-erase/1", "account/plan/1"} {
		if _, err := keys.ObjectKey(scope); err != nil {
			t.Errorf("%s: %v", scope, err)
		}
	}
}
