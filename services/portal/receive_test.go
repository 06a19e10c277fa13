package portal_test

import (
	"bytes"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"filippo.io/age"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/handover"
)

// TestReceive: who has the mailbox and the passphrase fetches both files, opens them with the
// age library, and that it was given is a fact; without the passphrase nothing is served.
func TestReceive(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.made(nil)
	s.completed(id)
	page := s.get("/r/" + id)
	if !strings.Contains(page.text, "Your answer is there") || !strings.Contains(page.text, "20 December 2026") {
		t.Errorf("%s", page.text)
	}
	files := []string{"/r/" + id + "/answer.zip.age", "/r/" + id + "/key.age"}
	for _, f := range files {
		if page := s.get(f); page.status != http.StatusForbidden {
			t.Errorf("%s without the passphrase: %d", f, page.status)
		}
	}
	if page := s.post("/r/"+id+"/receive", url.Values{"passphrase": {"another passphrase"}}); page.status != http.StatusForbidden || !strings.Contains(page.text, "isn’t the passphrase") {
		t.Errorf("%d", page.status)
	}
	if page := s.post("/r/"+id+"/receive", url.Values{"passphrase": {passphrase}}); page.status != http.StatusOK {
		t.Fatalf("%d: %s", page.status, page.text)
	}
	answer, key := s.get(files[0]), s.get(files[1])
	if answer.status != http.StatusOK || key.status != http.StatusOK || answer.header.Get("Content-Disposition") != `attachment; filename="answer.zip.age"` {
		t.Fatalf("%d, %d, %v", answer.status, key.status, answer.header)
	}
	i, err := age.NewScryptIdentity(passphrase)
	s.must(err)
	text, err := age.Decrypt(strings.NewReader(key.text), i)
	s.must(err)
	ids, err := age.ParseIdentities(text)
	s.must(err)
	plain, err := age.Decrypt(strings.NewReader(answer.text), ids...)
	s.must(err)
	if got, _ := io.ReadAll(plain); string(got) != "the answer" {
		t.Errorf("%q", got)
	}
	if state, err := s.requests.State(t.Context(), id); err != nil || len(state.Opened) != 1 {
		t.Errorf("%v %v", state.Opened, err)
	}
	s.passes(openTime)
	if page := s.get(files[0]); page.status != http.StatusForbidden {
		t.Errorf("half an hour later: %d", page.status)
	}
}

// TestAvailableIsGivenOut: an answer that is there is given to who has its passphrase, though
// its letter hasn't gone; the page says that it is there, and as long as nobody is told the
// request isn't completed.
func TestAvailableIsGivenOut(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.made(nil)
	s.available(id)
	if page := s.get("/r/" + id); !strings.Contains(page.text, "We are about to write to you") || !strings.Contains(page.text, "Your passphrase") || strings.Contains(page.text, "You can fetch it until") || strings.Contains(page.text, "withdraw\"") {
		t.Errorf("%s", page.text)
	}
	s.told(id, core.ChannelOutbox)
	if state, err := s.requests.State(t.Context(), id); err != nil || state.Status != core.StatusDelivering {
		t.Errorf("%s %v", state.Status, err)
	}
	if page := s.post("/r/"+id+"/receive", url.Values{"passphrase": {passphrase}}); page.status != http.StatusOK {
		t.Errorf("%d: %s", page.status, page.text)
	}
	if page := s.get("/r/" + id + "/answer.zip.age"); page.status != http.StatusOK {
		t.Errorf("%d", page.status)
	}
	_, err := s.requests.Do(t.Context(), id, core.DeliverAgain{By: "lea", Reason: "by post", ByHand: true, Now: s.clock()})
	s.must(err)
	if page := s.get("/r/" + id); !strings.Contains(page.text, "You can fetch it until 20 December 2026") {
		t.Errorf("%s", page.text)
	}
}

// openTime is as long as the portal's.
const openTime = 30 * 60 * 1e9

// TestPassphrasesAreGuessed: within a day there are so many tries, and the right one after
// them isn't believed.
func TestPassphrasesAreGuessed(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.made(nil)
	s.completed(id)
	for range 10 {
		if page := s.post("/r/"+id+"/receive", url.Values{"passphrase": {"another passphrase"}}); page.status != http.StatusForbidden {
			t.Fatalf("%d", page.status)
		}
	}
	if page := s.post("/r/"+id+"/receive", url.Values{"passphrase": {passphrase}}); page.status != http.StatusForbidden || !strings.Contains(page.text, "too often") {
		t.Errorf("the eleventh: %d", page.status)
	}
}

// TestRevoked: what an agent has revoked is served no more; another passphrase that they made
// is; and openings count anew.
func TestRevoked(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.made(nil)
	s.completed(id)
	_, err := s.requests.Do(t.Context(), id, core.ChangeAnswerKey{By: "lea", Reason: "it was lost", Revoke: true, Now: s.clock()})
	s.must(err)
	if page := s.post("/r/"+id+"/receive", url.Values{"passphrase": {passphrase}}); page.status != http.StatusForbidden {
		t.Errorf("%d", page.status)
	}
	if page := s.get("/r/" + id); !strings.Contains(page.text, "was revoked") {
		t.Errorf("%s", page.text)
	}
	if page := s.post("/r/"+id+"/no-passphrase", nil); page.status != http.StatusOK || !strings.Contains(page.text, "We know that you need a passphrase") {
		t.Errorf("%d", page.status)
	}
	key, err := handover.NewKey("quite another thing")
	s.must(err)
	s.must(handover.Leave(t.Context(), s.outbox, id, key.Wrapped))
	_, err = s.requests.Do(t.Context(), id, core.ChangeAnswerKey{By: "lea", Reason: "they called", Now: s.clock()})
	s.must(err)
	if page := s.post("/r/"+id+"/receive", url.Values{"passphrase": {"quite another thing"}}); page.status != http.StatusOK {
		t.Errorf("%d: %s", page.status, page.text)
	}
	if page := s.get("/r/" + id + "/key.age"); !bytes.Equal([]byte(page.text), key.Wrapped) {
		t.Errorf("%d", page.status)
	}
}

// TestClaimedAddressReceivesNothing: an address that nobody has proven, of a request by
// another door, lets its holder follow, and fetch nothing.
func TestClaimedAddressReceivesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.made(url.Values{"email": {"agent@example.org"}, "behalf": {"agent"}, "theirs": {theirs}})
	_, err := s.requests.Do(t.Context(), id, core.JudgeProof{By: "lea", Accepted: true, Now: s.clock()})
	s.must(err)
	s.http = s.browser()
	if page := s.entered(id, theirs); page.status != http.StatusOK {
		t.Fatalf("%d", page.status)
	}
	if page := s.post("/r/"+id+"/receive", url.Values{"passphrase": {passphrase}}); page.status != http.StatusForbidden {
		t.Errorf("%d", page.status)
	}
}

// TestWithdraw: who asked ends it, and once it has ended that can't be done again.
func TestWithdraw(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.made(nil)
	if page := s.post("/r/"+id+"/withdraw", nil); page.status != http.StatusOK || !strings.Contains(page.text, "was withdrawn") {
		t.Errorf("%d", page.status)
	}
	if page := s.post("/r/"+id+"/withdraw", nil); page.status != http.StatusConflict {
		t.Errorf("%d", page.status)
	}
}

// TestAnswerToAQuestion: what the person answers is sealed, and waits for an agent.
func TestAnswerToAQuestion(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.made(nil)
	_, err := s.requests.Do(t.Context(), id, core.AskClarification{By: "lea", Reason: "internal words", ToPerson: "Which of your accounts?", Now: s.clock()})
	s.must(err)
	page := s.get("/r/" + id)
	if !strings.Contains(page.text, "We have a question") || !strings.Contains(page.text, "Which of your accounts?") || strings.Contains(page.text, "internal words") {
		t.Errorf("%s", page.text)
	}
	for _, bad := range []string{"", "  ", strings.Repeat("é", 4001), "\xff"} {
		if page := s.upload("/r/"+id+"/send", "text", "", []byte(bad)); page.status != http.StatusUnprocessableEntity {
			t.Errorf("%.10q: %d", bad, page.status)
		}
	}
	if page := s.upload("/r/"+id+"/send", "text", "", []byte("my account of 2019")); page.status != http.StatusOK {
		t.Fatalf("%d: %s", page.status, page.text)
	}
	state, err := s.requests.State(t.Context(), id)
	s.must(err)
	sealed, err := s.uploads.ReadAll(t.Context(), state.Sent[0].Object)
	s.must(err)
	plain, err := age.Decrypt(bytes.NewReader(sealed), s.identity)
	s.must(err)
	if got, _ := io.ReadAll(plain); string(got) != "my account of 2019" {
		t.Errorf("%q", got)
	}
}
