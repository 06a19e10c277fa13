package aggregator_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/internal/blobtest"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/operator"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/statement"
	"habeas.dev/services/internal/words"
)

// TestHandleTwice: a task that comes twice gives the same bundle and the same
// report, and leaves one bundle.
func TestHandleTwice(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	task := w.task(t, w.gathered(t, 3, "x"))
	first := w.do(t, task)
	content := w.bundle(t)
	again := w.do(t, task)
	if first.Kind != dsar.ReportEnded || first.Outcome != dsar.Assembled || len(first.Objects) != 1 || len(again.Objects) != 1 || first.Objects[0] != again.Objects[0] {
		t.Errorf("reports %+v and %+v", first, again)
	}
	if got := w.bundle(t); !bytes.Equal(got, content) {
		t.Error("the second time gave another bundle")
	}
	sum := sha256.Sum256(content)
	o := first.Objects[0]
	if o.Name != requestID+".zip.age" || o.Bytes != int64(len(content)) || o.SHA256 != hex.EncodeToString(sum[:]) || o.Records != 3 {
		t.Errorf("the report says %+v of a bundle of %d bytes", o, len(content))
	}
	if n := len(w.outboxStore.Blobs()); n != 1 {
		t.Errorf("%d bundles in the outbox", n)
	}
	verdict, err := bundle.Verify(t.Context(), bytes.NewReader(content), int64(len(content)))
	if err != nil || len(verdict.Problems) > 0 {
		t.Errorf("%v, %v", verdict.Problems, err)
	}
}

// TestBrokenOff kills the process at each step of a bundle, in the vault and in
// the outbox: no report, and the bundle of before or none. The same task again
// ends as if nothing had happened.
func TestBrokenOff(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	noise := make([]byte, 300)
	rng := rand.NewChaCha8([32]byte{})
	_, _ = rng.Read(noise)
	task := w.task(t, w.gathered(t, 2_000, hex.EncodeToString(noise))) // several writes
	event := taskEvent(t, task)

	// stop ends the process at the nth step.
	stop := func(n int) (steps int, err error) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		fault := func(blobtest.Op, bool) error {
			if steps++; steps >= n {
				cancel()
				return errors.New("killed")
			}
			return nil
		}
		w.vaultStore.Fault, w.outboxStore.Fault = fault, fault
		defer func() { w.vaultStore.Fault, w.outboxStore.Fault = nil, nil }()
		_, err = w.Handle(ctx, event)
		return steps, err
	}
	all, err := stop(1 << 30)
	if err != nil || all < 8 {
		t.Fatalf("a good run has %d steps: %v", all, err)
	}
	whole := w.bundle(t)
	for _, before := range [][]byte{nil, w.outboxStore.Blobs()[requestID+".zip.age"]} {
		for n := 1; n <= all; n++ {
			w.outboxStore.Set(requestID+".zip.age", before)
			if _, err := stop(n); !errors.Is(err, context.Canceled) {
				t.Fatalf("killed at step %d of %d: %v", n, all, err)
			}
			left := w.outboxStore.Blobs()[requestID+".zip.age"]
			switch {
			case left == nil && before == nil:
			case left == nil:
				t.Errorf("killed at step %d, the bundle of before is gone", n)
			case !bytes.Equal(left, before) && n < all: // the last is after the commit
				t.Errorf("killed at step %d, another bundle is there", n)
			case !bytes.Equal(w.bundle(t), whole):
				t.Errorf("killed at step %d, half a bundle is there", n)
			}
		}
	}
	if r := w.do(t, task); r.Outcome != dsar.Assembled || !bytes.Equal(w.bundle(t), whole) {
		t.Errorf("afterwards: %+v", r)
	}
}

// TestLanguage: the answer is in the subject's language, as far as there is one.
func TestLanguage(t *testing.T) {
	t.Parallel()
	for locale, want := range map[string][]string{
		"fr": {`lang="fr"`, "Factures", "Dix ans"}, "fr-CA": {`lang="fr"`, "Factures"},
		"en": {`lang="en"`, "Invoices", "Ten years"}, "": {`lang="en"`}, "ja": {`lang="en"`},
	} {
		w := newFixture(t)
		w.do(t, w.task(t, w.gathered(t, 1, "x"), func(task *core.AssembleTask) { task.Locale = locale }))
		page := w.answer(t)["index.html"]
		for _, text := range want {
			if !strings.Contains(page, text) {
				t.Errorf("locale %q: the page lacks %q", locale, text)
			}
		}
	}
}

// TestCertificate: an erasure's answer is a certificate. It holds no records,
// even where something lies in the vault.
func TestCertificate(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	o := w.gathered(t, 3, "x")
	until := time.Date(2036, 12, 31, 0, 0, 0, 0, time.UTC)
	kept := []dsar.Retention{{Records: 2, Ground: "accounting", Until: until}}
	task := w.task(t, o, func(task *core.AssembleTask) {
		task.Right = dsar.Erasure
		at := received.Add(time.Minute)
		task.Answer.Systems[0].Ends = []core.ActionEnd{
			{Action: dsar.Plan, Outcome: dsar.Found, At: at, Counts: []dsar.Counts{{Dataset: "invoices", Found: 5, Retained: kept}}},
			{Action: dsar.Erase, Outcome: dsar.Retained, At: at.Add(time.Minute), Counts: []dsar.Counts{{Dataset: "invoices", Found: 5, Erased: 3, Retained: kept}}, Objects: []dsar.Object{o}},
			{Action: dsar.Prove, Outcome: dsar.Proven, At: at.Add(2 * time.Minute), Counts: []dsar.Counts{{Dataset: "invoices", Found: 2, Retained: kept}}},
		}
	})
	if r := w.do(t, task); r.Outcome != dsar.Assembled || r.Objects[0].Records != 0 {
		t.Fatalf("report %+v", r)
	}
	files := w.answer(t)
	a, err := statement.Read([]byte(files["certificate.json"]))
	must(t, err)
	again, left := a.About("billing", "", statement.AskedAgainKept), a.About("billing", "invoices", statement.Kept)
	if a.AnswerOf("billing") != statement.PartlyKept || len(again) != 1 || !again[0].At.Equal(received.Add(3*time.Minute)) ||
		a.Records("billing", "invoices", statement.Found) != 5 || a.Records("billing", "invoices", statement.Erased) != 3 ||
		len(left) != 1 || left[0].Records != 2 || left[0].Ground != "accounting" || !left[0].Until.Equal(until) || left[0].Title == "" {
		t.Errorf("the certificate says %+v", a.Statements)
	}
	for name := range files {
		if strings.HasPrefix(name, "billing/") {
			t.Errorf("the certificate comes with %s", name)
		}
	}
}

// TestRetired: of a system that is out of use, and has said nothing, the answer says so
// without its manifest; where it has said something, that isn't left out for lack of one.
func TestRetired(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	o := w.gathered(t, 3, "x")
	on := received.AddDate(0, 0, -7)
	shop := func(end core.ActionEnd) func(*core.AssembleTask) {
		return func(task *core.AssembleTask) {
			task.Answer.Systems = append(task.Answer.Systems, core.SystemAnswer{System: "shop", Retired: &core.Retirement{On: on, Fact: 2}, Ends: []core.ActionEnd{end}})
		}
	}
	if r := w.do(t, w.task(t, o, shop(core.ActionEnd{Action: dsar.Gather, Outcome: dsar.Gathered, At: received, Objects: []dsar.Object{o}}))); r.Code != "no-manifest" {
		t.Errorf("what it has gathered: %+v", r)
	}
	if r := w.do(t, w.task(t, o, shop(core.ActionEnd{Action: dsar.Gather, Outcome: dsar.NotApplicable, At: received, Code: core.CodeRetired}))); r.Outcome != dsar.Assembled {
		t.Fatalf("%+v", r)
	}
	files := w.answer(t)
	a, err := statement.Read([]byte(files["answer.json"]))
	must(t, err)
	if said := a.About("shop", "", statement.Retired); len(said) != 1 || !said[0].At.Equal(on) || len(a.About("", "", statement.NothingLeftOut)) != 0 {
		t.Errorf("%+v", a.Statements)
	}
	if !strings.Contains(files["index.html"], "it has been out of use since 13 November 2026") {
		t.Error("the page doesn't say so")
	}
}

// TestPolicy: what the law asks for stands in the answer, and what it forbids
// to show doesn't.
func TestPolicy(t *testing.T) {
	t.Parallel()
	book, err := policy.Load()
	must(t, err)
	p := aggregator.FromBook(book, operator.Operator{}, nil)
	eea := p("EEA", words.For("fr"), dsar.Access, received, received)
	if eea.Law == "" || eea.Entity == "" || len(eea.Complaint) == 0 || !slices.Contains(eea.Grants, dsar.Portability) {
		t.Errorf("EEA: %+v", eea)
	}
	if en := p("EEA", words.For("en"), dsar.Access, received, received); en.Law == eea.Law {
		t.Error("the law has the same name in French and in English")
	}
	if c := p("California", words.For("en"), dsar.Access, received, received); !c.Categories {
		t.Errorf("California: %+v", c)
	}
	if unknown := p("Atlantis", words.For("en"), dsar.Access, received, received); unknown.Law != "" {
		t.Errorf("an unknown place: %+v", unknown)
	}
	if named := aggregator.FromBook(book, operator.Operator{Name: "Example SARL"}, nil)("EEA", words.For("en"), dsar.Access, received, received); named.Entity != "Example SARL" {
		t.Errorf("the controller is %q", named.Entity)
	}
}

// TestNothingSoldOnlyWhereNothingIs: that nothing is sold or shared is said in California
// only where the catalogue of purposes says so of all that data is used for.
func TestNothingSoldOnlyWhereNothingIs(t *testing.T) {
	t.Parallel()
	book, err := policy.Load()
	must(t, err)
	for name, c := range map[string]struct {
		used manifest.Purposes
		said bool
	}{
		"neither":                   {manifest.Purposes{"billing": {}, "news": {Marks: []string{manifest.MarkMarketing}}}, true},
		"a sale":                    {manifest.Purposes{"billing": {}, "brokers": {Marks: []string{manifest.MarkSale}}}, false},
		"sharing":                   {manifest.Purposes{"billing": {}, "partners": {Marks: []string{manifest.MarkMarketing, manifest.MarkSharing}}}, false},
		"a dataset's own, unmarked": {manifest.Purposes{"billing": {}, "shop.orders": {}}, false},
		"nothing is known":          {nil, false},
	} {
		p := aggregator.FromBook(book, declared(), c.used)
		for lang, sentence := range map[string]string{"en": "We don’t sell", "fr": "Nous ne vendons pas"} {
			also := strings.Join(p("California", words.For(lang), dsar.Access, received, received).Also, "\n")
			if strings.Contains(also, sentence) != c.said {
				t.Errorf("%s, %s: %q", name, lang, also)
			}
			if len(p("California", words.For(lang), dsar.Access, received, received).Also) < 2 {
				t.Errorf("%s, %s: the other sentences are gone", name, lang)
			}
		}
	}
}

// declared returns an operator that has declared everything that laws ask for.
func declared() operator.Operator {
	o := operator.Operator{Name: "Example Cloud SAS"}
	for _, says := range []string{"no-automated-decisions", "no-sale", "safeguards", "processing-abroad", "processors", "joint-use", "security-measures"} {
		o.Declarations = append(o.Declarations, operator.Declaration{Says: says, By: "data protection officer", On: operator.DayOf(received.AddDate(0, -1, 0)), Until: operator.DayOf(received.AddDate(0, 11, 0))})
	}
	return o
}

// TestDeclarationsLapse: what only the operator can say is in an answer as long as the
// declaration holds, and not a day longer; the answer then says less.
func TestDeclarationsLapse(t *testing.T) {
	t.Parallel()
	book, err := policy.Load()
	must(t, err)
	said := declared()
	p := aggregator.FromBook(book, said, manifest.Purposes{"billing": {}})
	last := received.AddDate(0, 11, 0).Truncate(24 * time.Hour)
	holds, lapsed := last.Add(23*time.Hour), last.Add(24*time.Hour)
	for law, sentence := range map[string]string{"EEA": "automated means alone", "UK": "adequacy regulations", "Switzerland": "Federal Council", "California": "don’t sell", "Canada": "outside Canada", "South Korea": "Marketo", "Japan": "joint use"} {
		for at, want := range map[time.Time]bool{holds: true, lapsed: false, received.AddDate(0, -2, 0): false} {
			c := p(law, words.For("en"), dsar.Access, received, at)
			if says := strings.Contains(c.Automated+c.Transfers+strings.Join(c.Also, "\n"), sentence); says != want {
				t.Errorf("%s, on %s: %q is said: %v", law, at.Format(time.DateOnly), sentence, says)
			}
		}
	}
}

// TestControllersByRegion: the answer and its letters name who answers under the law, with
// the postal address, the contact and the officer; where no controller names the law, it is
// the one that names none.
func TestControllersByRegion(t *testing.T) {
	t.Parallel()
	book, err := policy.Load()
	must(t, err)
	said := operator.Operator{Name: "Group", Controllers: []operator.Controller{
		{Laws: []string{"EEA"}, Name: "Europe SARL", Address: "1, rue Une, Luxembourg", Contact: "eu@example.com", Officer: "dpo@example.com", Authorities: []operator.Authority{{Name: "CNPD"}}},
		{Name: "World Inc.", Address: "1 First Street"},
	}}
	p := aggregator.FromBook(book, said, nil)
	if c := p("EEA", words.For("fr"), dsar.Access, received, received); c.Entity != "Europe SARL" || c.Address != "1, rue Une, Luxembourg" || c.Contact != "eu@example.com" || c.Officer != "dpo@example.com" || len(c.Complaint) != 1 || c.Complaint[0].Name != "CNPD" {
		t.Errorf("%+v", c)
	}
	if c := p("elsewhere", words.For("en"), dsar.Access, received, received); len(c.Complaint) != 1 || c.Complaint[0].Name != "us" {
		t.Errorf("%+v", c.Complaint)
	}
	if c := p("Brazil", words.For("en"), dsar.Access, received, received); c.Entity != "World Inc." || c.Address != "1 First Street" || c.Contact != "" || len(c.Complaint) == 0 {
		t.Errorf("%+v", c)
	}
}

// TestNotATask: what is no task of the aggregator's says so, and quotes nothing.
func TestNotATask(t *testing.T) {
	t.Parallel()
	const canary = "kanarienvogel"
	w := newFixture(t)
	good := w.task(t, w.gathered(t, 1, "x"))
	with := func(change func(*core.AssembleTask)) event.Event {
		task := good
		change(&task)
		return taskEvent(t, task)
	}
	other := taskEvent(t, good)
	other.Subject = canary
	wrongType := taskEvent(t, good)
	wrongType.Type = canary
	for name, e := range map[string]event.Event{
		"another type":   wrongType,
		"not JSON":       {Type: event.TypeTask, Subject: requestID, Data: []byte(`{"request_id":"` + canary)},
		"another shape":  {Type: event.TypeTask, Subject: requestID, Data: []byte(`{"attempt":"` + canary + `"}`)},
		"another system": with(func(t *core.AssembleTask) { t.System = canary }),
		"no action":      with(func(t *core.AssembleTask) { t.Action = "camille" }),
		"no request":     with(func(t *core.AssembleTask) { t.RequestID = "" }),
		"other subject":  other,
	} {
		if _, err := w.Handle(t.Context(), e); !errors.Is(err, errRejected) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if r := w.do(t, w.task(t, w.gathered(t, 1, "x"), func(t *core.AssembleTask) { t.Answer = nil })); r.Kind != dsar.ReportFailed || r.Code != "no-answer" {
		t.Errorf("a task without an answer: %+v", r)
	}
	if n := len(w.outboxStore.Blobs()); n != 0 {
		t.Errorf("%d bundles were written", n)
	}
}

// TestStopped: where the context is over there is no report: the task comes again.
func TestStopped(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Handle(ctx, taskEvent(t, w.task(t, w.gathered(t, 1, "x")))); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestNew names what is missing.
func TestNew(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	good := aggregator.Config{Outbox: w.outboxStore.Open(), Now: time.Now}
	for i, change := range []func(*aggregator.Config){
		func(c *aggregator.Config) { c.Outbox = nil }, func(c *aggregator.Config) { c.Now = nil },
	} {
		c := good
		change(&c)
		if _, err := aggregator.New(c); err == nil {
			t.Errorf("configuration %d is taken", i)
		}
	}
	a, err := aggregator.New(good)
	must(t, err)
	w.worker, err = aggregator.NewWorker(a)
	must(t, err)
	if r := w.do(t, w.task(t, w.gathered(t, 1, "x"))); r.Code != "no-manifest" {
		t.Errorf("without manifests: %+v", r)
	}
}

// TestIdentifiersOrder: the answer doesn't depend on who found something first.
func TestIdentifiersOrder(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	o := w.gathered(t, 1, "x")
	var found []dsar.Identifier
	for i := range 4 {
		sealed, err := w.keys.Seal([]byte("id-"+strconv.Itoa(i)), vault.Identifier)
		must(t, err)
		found = append(found, dsar.Identifier{Type: "account_id", Fingerprint: "fp-" + strconv.Itoa(i), Sealed: sealed, FoundBy: "billing", From: "fp", Assurance: dsar.AssuranceVerified})
	}
	var first []byte
	for range 4 {
		found = append(found[1:], found[0])
		w.do(t, w.task(t, o, func(task *core.AssembleTask) {
			task.Answer.Identifiers = append(task.Answer.Identifiers, found...)
			billing := &task.Answer.Systems[0]
			billing.Ends = append([]core.ActionEnd{{Action: dsar.Resolve, Outcome: dsar.Found, At: received}}, billing.Ends...)
		}))
		if first == nil {
			first = w.bundle(t)
		}
		if !bytes.Equal(first, w.bundle(t)) {
			t.Fatal("another order of finding gives another bundle")
		}
	}
	if text := w.answer(t)["answer.json"]; !strings.Contains(text, `"from_value":"`+address+`"`) {
		t.Error("the answer doesn't say what an identifier was found by")
	}
}

// TestOpenAnswer: a bundle that isn't the one that the journal names doesn't end as if
// it were.
func TestOpenAnswer(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	o := w.do(t, w.task(t, w.gathered(t, 3, "x"))).Objects[0]
	read := func(journalled dsar.Object) error {
		r, err := aggregator.OpenAnswer(t.Context(), w.vault, w.outboxStore.Open(), requestID, journalled)
		must(t, err)
		defer r.Close()
		_, err = io.Copy(io.Discard, r)
		return err
	}
	if err := read(o); err != nil {
		t.Error(err)
	}
	w.do(t, w.task(t, w.gathered(t, 3, "y"))) // another in its place, which opens as well
	longer, other := o, o
	longer.Bytes++
	other.SHA256 = strings.Repeat("0", 64)
	for what, journalled := range map[string]dsar.Object{"exchanged": o, "longer": longer, "of another hash": other} {
		if err := read(journalled); !errors.Is(err, aggregator.ErrAltered) {
			t.Errorf("%s: %v", what, err)
		}
	}
}
