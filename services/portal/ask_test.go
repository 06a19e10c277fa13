package portal_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// TestAsk: from the home page to a request that is taken in: what was proven goes in as
// proven, all else as a claim.
func TestAsk(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if page := s.get("/"); page.status != http.StatusOK || !strings.Contains(page.text, `value="EEA"`) {
		t.Fatalf("%d: %s", page.status, page.text)
	}
	if page := s.get("/ask?law=EEA"); !strings.Contains(page.text, "right=erasure") || strings.Contains(page.text, "right=know-categories") {
		t.Errorf("what the law grants: %s", page.text)
	}
	if page := s.get("/ask?law=EEA&right=access"); !strings.Contains(page.text, "20 December 2026") && !strings.Contains(page.text, "21 December 2026") {
		t.Errorf("when it is due: %s", page.text)
	}
	id := s.made(url.Values{"id:account_id": {"A-1"}})
	got := s.door.taken[id]
	if got.Right != dsar.Access || got.Jurisdiction != "EEA" || got.Source != "portal" || got.Recipient == "" || got.Subject.OnBehalf != "" || len(got.Subject.Identifiers) != 2 {
		t.Fatalf("%+v", got)
	}
	if email := got.Subject.Identifiers[0]; email.Type != "email" || email.Value != theirs || !email.Verified {
		t.Errorf("the address: %+v", email)
	}
	if account := got.Subject.Identifiers[1]; account.Type != "account_id" || account.Value != "A-1" || account.Verified {
		t.Errorf("the account: %+v", account)
	}
	if page := s.get("/r/" + id); !strings.Contains(page.text, id) || !strings.Contains(page.text, "0 of 2 systems have answered") {
		t.Errorf("%s", page.text)
	}
	if wrapped, err := s.outbox.ReadAll(t.Context(), id+".key.age"); err != nil || strings.Contains(string(wrapped), passphrase) {
		t.Errorf("the key: %q, %v", wrapped, err)
	}
}

// TestForSomebodyElse: the address of who asks isn't the person's, so that nothing of who
// asks is looked for; who asked can come back.
func TestForSomebodyElse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if page := s.post("/ask", asks(url.Values{"behalf": {"agent"}})); page.status != http.StatusUnprocessableEntity {
		t.Errorf("without the person's address: %d", page.status)
	}
	id := s.made(url.Values{"email": {"agent@example.org"}, "behalf": {"agent"}, "theirs": {theirs}})
	got := s.door.taken[id].Subject
	if got.OnBehalf != dsar.CheckAgent || len(got.Identifiers) != 1 || got.Identifiers[0].Value != theirs || got.Identifiers[0].Verified {
		t.Fatalf("%+v", got)
	}
	s.http = s.browser()
	if page := s.entered(id, "agent@example.org"); page.status != http.StatusOK || !strings.Contains(page.text, "written permission") {
		t.Errorf("the agent comes back: %d %s", page.status, page.text)
	}
	s.http = s.browser()
	if page := s.entered(id, "stranger@example.org"); page.status != http.StatusForbidden {
		t.Errorf("a stranger comes: %d %s", page.status, page.text)
	}
}

// entered proves a mailbox for a request, and returns the page that follows.
func (s *site) entered(id, email string) answer {
	s.Helper()
	page := s.post("/r/"+id+"/enter", url.Values{"email": {email}})
	code, to := s.code()
	if to != email {
		s.Fatalf("mailed to %s", to)
	}
	return s.post("/prove", url.Values{"draft": {page.draft(s.T)}, "code": {code}})
}

// TestRectification: what is wrong and what is right go as a correction, and a concept of the
// operator's own can be named.
func TestRectification(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, bad := range []url.Values{{}, {"correct": {"contact.postal_address"}}, {"correct": {"nothing"}, "value": {"x"}}} {
		bad.Set("right", "rectification")
		if page := s.post("/ask", asks(bad)); page.status != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", bad, page.status)
		}
	}
	id := s.made(url.Values{"right": {"rectification"}, "correct": {"own.concept"}, "value": {"1, rue de la Paix"}})
	if d := s.door.taken[id].Details; d == nil || d.Corrections[0].Column != "own.concept" || d.Corrections[0].Value != "1, rue de la Paix" {
		t.Errorf("%+v", d)
	}
}

// TestFromTheAnswer: an answer's link leads to a form for its dataset, and the correction goes there;
// what isn't a dataset is nothing.
func TestFromTheAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for address, says := range map[string]string{
		"right=rectification&what=billing.invoices": "Invoices", "right=erasure&what=billing.invoices": "for all that we hold about you",
		"right=rectification&what=billing.payments": "", "right=access&what=billing.invoices": "", "right=erasure&what=<script>": "",
	} {
		page := s.get("/ask?law=EEA&" + address)
		if told := strings.Contains(page.text, "You come from your answer"); page.status != http.StatusOK || told != (says != "") || !strings.Contains(page.text, says) {
			t.Errorf("%s: %d", address, page.status)
		}
	}
	id := s.made(url.Values{"right": {"rectification"}, "correct": {"contact.postal_address"}, "value": {"1, rue de la Paix"}, "what": {"billing.invoices"}})
	if c := s.door.taken[id].Details.Corrections[0]; c.System != "billing" || c.Dataset != "invoices" {
		t.Errorf("%+v", c)
	}
}

// TestIntakeIsDown: a code isn't lost because intake doesn't answer: the same is tried again.
func TestIntakeIsDown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	page := s.post("/ask", asks(nil))
	code, _ := s.code()
	s.door.fails = errDown
	page = s.post("/prove", url.Values{"draft": {page.draft(t)}, "code": {code}, "passphrase": {passphrase}})
	if page.status != http.StatusServiceUnavailable {
		t.Fatalf("%d", page.status)
	}
	s.door.fails = nil
	again := url.Values{"draft": {page.draft(t)}}
	if page = s.post("/prove", again); !strings.HasPrefix(page.path, "/r/") || page.status != http.StatusOK {
		t.Fatalf("%d %s", page.status, page.path)
	}
	s.post("/prove", again)
	if len(s.door.taken) != 1 {
		t.Errorf("%d requests", len(s.door.taken))
	}
}

// TestLanguages: every page is there in both languages.
func TestLanguages(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.post("/language", url.Values{"language": {"fr"}, "page": {"//elsewhere.example"}})
	for path, want := range map[string]string{"/": "Où habitez-vous", "/ask?law=EEA": "Faire effacer mes données", "/ask?law=California&right=opt-out": "Votre adresse e-mail", "/r/9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11": "Suivre votre demande", "/nowhere": "n’existe pas"} {
		if page := s.get(path); !strings.Contains(page.text, want) || !strings.Contains(page.text, `lang="fr"`) {
			t.Errorf("%s: %s", path, page.text)
		}
	}
	s.post("/ask", asks(nil))
	if m := <-s.mails.sent; !strings.Contains(m.Subject, "Votre code pour Example Cloud SAS") || m.Language != "fr" || strings.Count(m.Text, "http") != 1 || !strings.Contains(m.Text, " http://127.0.0.1/confirm?by=") {
		t.Errorf("%+v", m)
	}
	if id := s.made(nil); s.door.taken[id].Subject.Locale != "fr" {
		t.Error("the answer isn't in French")
	}
}

// TestComplaintAboutAnAnswer: who has been refused or answered can complain, where the law
// lets them: the complaint is a request of its own, linked to the first, whose answer is a
// letter; nobody is given a passphrase for it, or told of systems.
func TestComplaintAboutAnAnswer(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	id := s.made(nil)
	link := "about=" + id
	if page := s.get("/r/" + id); strings.Contains(page.text, link) {
		t.Error("it can be complained about what isn't due")
	}
	_, err := s.requests.Do(t.Context(), id, core.Refuse{By: "lea", Ground: core.NotProven, Reason: "nothing came", Now: s.clock()})
	s.must(err)
	page := s.get("/r/" + id)
	if !strings.Contains(page.text, link) || !strings.Contains(page.text, "Complain to us") || strings.Contains(page.text, "right=appeal") {
		t.Fatalf("%s", page.text)
	}
	form := s.get("/ask?law=EEA&right=complaint&about=" + id)
	if !strings.Contains(form.text, `name="about" value="`+id) || !strings.Contains(form.text, `name="message"`) {
		t.Fatalf("%s", form.text)
	}
	for why, bad := range map[string]url.Values{
		"nothing is said":         asks(url.Values{"right": {"complaint"}, "about": {id}}),
		"it is about nothing":     asks(url.Values{"right": {"complaint"}, "message": {"You are wrong"}}),
		"an access about another": asks(url.Values{"about": {id}}),
		"too much is said":        asks(url.Values{"right": {"complaint"}, "about": {id}, "message": {strings.Repeat("x", 4001)}}),
	} {
		if page := s.post("/ask", bad); page.status != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", why, page.status)
		}
	}
	page = s.post("/ask", asks(url.Values{"right": {"complaint"}, "about": {id}, "message": {"I sent it twice."}}))
	if strings.Contains(page.text, `name="passphrase"`) {
		t.Error("a passphrase is wanted for a letter")
	}
	code, _ := s.code()
	page = s.post("/prove", url.Values{"draft": {page.draft(t)}, "code": {code}})
	complaint := strings.TrimPrefix(page.path, "/r/")
	if page.status != http.StatusOK || complaint == page.path {
		t.Fatalf("%d %s: %s", page.status, page.path, page.text)
	}
	got := s.door.taken[complaint]
	if got.Right != dsar.Complaint || got.About != id || got.Details == nil || got.Details.Message != "I sent it twice." || got.Recipient != "" {
		t.Errorf("%+v", got)
	}
	if !strings.Contains(page.text, "A person of ours is looking at it") || !strings.Contains(page.text, `href="/r/`+id) || strings.Contains(page.text, "systems have answered") {
		t.Errorf("%s", page.text)
	}
	_, err = s.requests.Do(t.Context(), complaint, core.DecideGrievance{By: "sam", Finding: core.Dismissed, Reason: "it is another’s passport", Now: s.clock()})
	s.must(err)
	if page = s.get("/r/" + complaint); !strings.Contains(page.text, "has decided") || strings.Contains(page.text, "no longer there") || strings.Contains(page.text, link) {
		t.Errorf("%s", page.text)
	}
}

// TestDecidedRightAtThePortal: a right that a law's file adds is offered by its words.
func TestDecidedRightAtThePortal(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	if page := s.get("/ask?law=South+Korea"); !strings.Contains(page.text, "Have an automated decision explained") || strings.Contains(page.text, "right=complaint") {
		t.Errorf("%s", page.text)
	}
	id := s.decided(url.Values{"law": {"South Korea"}, "right": {"automated-explanation"}, "message": {"Why no credit?"}})
	if got := s.door.taken[id]; got.Right != "automated-explanation" || got.About != "" || got.Details.Message != "Why no credit?" {
		t.Errorf("%+v", got)
	}
}

// decided asks for what a person decides, and returns the number of the request.
func (s *site) decided(more url.Values) string {
	s.Helper()
	page := s.post("/ask", asks(more))
	code, _ := s.code()
	page = s.post("/prove", url.Values{"draft": {page.draft(s.T)}, "code": {code}})
	if page.status != http.StatusOK {
		s.Fatalf("%d: %s", page.status, page.text)
	}
	return strings.TrimPrefix(page.path, "/r/")
}
