package remarks_test

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/keeper/keepertest"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/prints"
	"habeas.dev/services/internal/remarks"
	"habeas.dev/services/internal/timeline"
)

const (
	id    = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	words = "Anna Martin called from +33 6 12 34 56 78"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// house is an installation with one request that has ended, and somebody's note in it.
func house(t *testing.T) *keepertest.House {
	t.Helper()
	h := keepertest.New(t, t.TempDir(), memjournal.New(memjournal.Config{}))
	h.Request(id, dsar.Access, "anna@example.com")
	return h
}

// raw returns all that the journal holds of the request.
func raw(t *testing.T, h *keepertest.House) (facts []journal.Fact, text string) {
	t.Helper()
	facts, err := h.Journal.Facts(t.Context(), id, 1)
	must(t, err)
	for _, f := range facts {
		text += string(f.Data) + "\n"
	}
	return facts, text
}

// traced returns the trace, as who has the vault's keys reads it.
func traced(t *testing.T, h *keepertest.House) string {
	t.Helper()
	facts, _ := raw(t, h)
	events, err := journal.Events(facts, remarks.Remarks{Vault: h.Vault}.Opens(t.Context(), id))
	must(t, err)
	trace := timeline.BuildOpened(facts, events, timeline.English, timeline.ByName, timeline.InUTC)
	if trace.Chain != "verified" {
		t.Errorf("chain: %s", trace.Chain)
	}
	var text strings.Builder
	for _, m := range trace.Moments {
		text.WriteString(m.Text + "\n")
	}
	return text.String()
}

// TestSealing: who has a sealing key writes remarks sealed and reads none, its own included;
// who has the vault reads them.
func TestSealing(t *testing.T) {
	t.Parallel()
	h := house(t)
	key, err := h.Vault.MakeSealingKey(t.Context(), false)
	must(t, err)
	_, _, err = h.Vault.GiveSealer(t.Context())
	must(t, err)
	file := filepath.Join(t.TempDir(), "sealing.key")
	must(t, key.WriteFile(file))
	sealer, err := vault.OpenSealer(t.Context(), vault.Config{Keys: h.Dir + "/keys"}, file)
	must(t, err)
	t.Cleanup(func() { _ = sealer.Close() })
	seals := func() *lifecycle.Lifecycle {
		return lifecycle.New(h.Journal, lifecycle.WithRemarks(remarks.Sealing{Vault: sealer}))
	}
	_, err = seals().Do(t.Context(), id, core.Note{By: "lea", Reason: words, Now: h.Now})
	must(t, err)
	facts, text := raw(t, h)
	if strings.Contains(text, "Martin") || strings.Count(text, remarks.Prefix) != 1 {
		t.Errorf("%d sealed remarks in\n%s", strings.Count(text, remarks.Prefix), text)
	}
	if text := traced(t, h); !strings.Contains(text, "lea noted: "+words) {
		t.Errorf("the trace: %s", text)
	}
	e, err := core.Decode(facts[len(facts)-1].Type, facts[len(facts)-1].Data)
	must(t, err)
	if _, err := (remarks.Remarks{Vault: sealer}).Opens(t.Context(), id)(e); !errors.Is(err, vault.ErrSealsOnly) {
		t.Errorf("the sealing key opens it: %v", err)
	}
	_, err = seals().State(t.Context(), id) // and reads on
	must(t, err)
}

// TestRemarksAreForgotten: what somebody writes stands in no fact in the clear; who has the
// keys reads it, in the trace and in the state, until whom it is about is forgotten. Then
// nobody does, not even a process that had read it, and its own reason isn't there either.
func TestRemarksAreForgotten(t *testing.T) {
	t.Parallel()
	h := house(t)
	other := lifecycle.New(h.Journal, lifecycle.WithPrints(prints.Prints{Vault: h.Vault}), lifecycle.WithRemarks(remarks.Remarks{Vault: h.Vault}))
	_, err := h.Requests.Do(t.Context(), id, core.Note{By: "lea", Reason: words, Now: h.Now})
	must(t, err)
	_, err = h.Requests.Do(t.Context(), id, core.DeliverAgain{By: "lea", Reason: "by hand: " + words, ByHand: true, Now: h.Now})
	must(t, err)
	_, err = other.State(t.Context(), id)
	must(t, err)
	if _, text := raw(t, h); strings.Contains(text, "Martin") || strings.Count(text, remarks.Prefix) != 2 {
		t.Errorf("%d sealed remarks in\n%s", strings.Count(text, remarks.Prefix), text)
	}
	if text := traced(t, h); !strings.Contains(text, "lea noted: "+words) || !strings.Contains(text, "by hand: "+words) {
		t.Errorf("the trace: %s", text)
	}
	facts, _ := raw(t, h)
	if closed, err := timeline.Build(facts, timeline.InUTC); err != nil || strings.Contains(closed.Moments[len(facts)-1].Text, "Martin") {
		t.Errorf("without keys: %v, %+v", err, closed)
	}
	h.Tick(h.Now)
	must(t, h.Keeper.Forget(t.Context(), id, core.PartRecords, "lea", "asked by "+words))
	if text := traced(t, h); !strings.Contains(text, "asked by "+words) {
		t.Errorf("records are forgotten, and so is why: %s", text)
	}
	must(t, h.Keeper.Forget(t.Context(), id, core.PartSubject, "lea", "asked by "+words))
	if _, text := raw(t, h); strings.Contains(text, "Martin") {
		t.Errorf("the reason of forgetting is in the clear:\n%s", text)
	}
	text := traced(t, h)
	if strings.Contains(text, "Martin") || strings.Count(text, "words that nobody can open any more") != 4 {
		t.Errorf("after forgetting: %s", text)
	}
	for name, l := range map[string]*lifecycle.Lifecycle{"which forgot": h.Requests, "another": other} {
		for range 2 {
			s, err := l.State(t.Context(), id)
			if err != nil || s.SubjectForgotten.IsZero() {
				t.Errorf("the process %s: %v", name, err)
			}
		}
	}
}

// TestStatesHaveRemarks: what is decided and written by remarks is as it was written, for the
// process that took it and for another.
func TestStatesHaveRemarks(t *testing.T) {
	t.Parallel()
	h := keepertest.New(t, t.TempDir(), memjournal.New(memjournal.Config{}))
	keys, err := h.Vault.CreateKeys(t.Context(), id)
	must(t, err)
	print, err := keys.Fingerprint("email", "anna@example.com")
	must(t, err)
	sealed, err := keys.Seal([]byte("anna@example.com"), vault.Identifier)
	must(t, err)
	_, err = h.Requests.Accept(t.Context(), core.Accepted{RequestID: id, Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: h.Now, AcceptedAt: h.Now, DueAt: h.Now.AddDate(0, 1, 0), Source: "test", Digest: "d", OwnPrints: true,
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: print, Sealed: sealed, Assurance: dsar.AssuranceVerified}},
		Systems:     []dsar.System{{Name: "billing", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}}}})
	must(t, err)
	took, err := h.Requests.Do(t.Context(), id, core.AskClarification{By: "lea", Reason: words, ToPerson: "Which\x1b[2J account\u202e?", Now: h.Now})
	must(t, err)
	other, err := lifecycle.New(h.Journal, lifecycle.WithRemarks(remarks.Remarks{Vault: h.Vault})).State(t.Context(), id)
	must(t, err)
	if took.Question != "Which[2J account?" || other.Question != took.Question {
		t.Errorf("%q, another process: %q", took.Question, other.Question)
	}
	if without, err := lifecycle.New(h.Journal).State(t.Context(), id); err != nil || without.Question != remarks.Gone {
		t.Errorf("without keys the question is %q, %v", without.Question, err)
	}
	if _, text := raw(t, h); strings.Contains(text, "account") || strings.Contains(text, "Martin") {
		t.Errorf("in the clear: %s", text)
	}
	if _, err := h.Requests.Do(t.Context(), id, core.Note{By: "lea", Reason: "\u202e\x07 ", Now: h.Now}); !errors.Is(err, core.ErrNotAllowed) {
		t.Errorf("nothing that can be seen is noted: %v", err)
	}
}

// TestOldRemarks: what facts of before hold in the clear is read, without what isn't to be
// seen; somebody who writes as if it were sealed is sealed; and what is of another request
// opens nowhere.
func TestOldRemarks(t *testing.T) {
	t.Parallel()
	h := house(t)
	r := remarks.Remarks{Vault: h.Vault}
	noted := func(text string) core.Event {
		return core.Noted{ReasonedAct: core.ReasonedAct{By: "lea", Reason: text, At: h.Now}}
	}
	reason := func(e core.Event, err error) string {
		t.Helper()
		must(t, err)
		n, _ := e.(core.Noted)
		return n.Reason
	}
	if got := reason(r.Opens(t.Context(), id)(noted("in the clear\x1b[31m"))); got != "in the clear[31m" {
		t.Errorf("%q", got)
	}
	for _, text := range []string{"sealed:", "sealed:AAAA", "sealed: " + words, words} {
		sealed := reason(r.Seal(t.Context(), id, noted(text)))
		if !strings.HasPrefix(sealed, remarks.Prefix) || sealed == text {
			t.Errorf("%q is written as %q", text, sealed)
		}
		if got := reason(r.Opens(t.Context(), id)(noted(sealed))); got != text {
			t.Errorf("%q is read as %q", text, got)
		}
		if again := reason(r.Seal(t.Context(), id, noted(sealed))); again != sealed {
			t.Errorf("sealed twice: %q", again)
		}
		const other = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a33"
		_, err := h.Vault.CreateKeys(t.Context(), other)
		must(t, err)
		if got := reason(r.Opens(t.Context(), other)(noted(sealed))); got != remarks.Gone {
			t.Errorf("in another request it is read as %q", got)
		}
	}
	if got := reason(r.Opens(t.Context(), id)(noted("sealed:not by us"))); got != remarks.Gone {
		t.Errorf("%q", got)
	}
	policy := core.Noted{ReasonedAct: core.ReasonedAct{By: core.ByPolicy, Reason: "a hold is on", At: h.Now}}
	if got := reason(r.Seal(t.Context(), id, policy)); got != "a hold is on" {
		t.Errorf("a policy's reason: %q", got)
	}
	if got := reason(r.Seal(t.Context(), "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a44", noted("no keys\x07"))); got != "no keys" {
		t.Errorf("of a request without keys: %q", got)
	}
}
