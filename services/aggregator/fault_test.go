package aggregator_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/blobtest"
	"habeas.dev/services/internal/core"
)

var errDisk = errors.New("no space left for camille")

// failing returns a store that fails one kind of call.
func failing(op blobtest.Op) func(blobtest.Op, bool) error {
	return func(o blobtest.Op, after bool) error {
		if o == op && !after {
			return errDisk
		}
		return nil
	}
}

// TestParked: while the vault or the outbox doesn't answer, the task is parked,
// longer each time; in the end a person is asked. Afterwards it goes on.
func TestParked(t *testing.T) {
	t.Parallel()
	for code, fail := range map[string]func(*fixture){
		"outbox-unavailable": func(w *fixture) { w.outboxStore.Fault = failing(blobtest.OpCommit) },
		"vault-unavailable":  func(w *fixture) { w.vaultStore.Fault = failing(blobtest.OpRead) },
	} {
		w := newFixture(t)
		o := w.gathered(t, 1, "x")
		fail(w)
		now := received.Add(time.Hour)
		last := time.Duration(0)
		for parked := range 11 {
			// Attempts that nothing was heard of don't count.
			r := w.do(t, w.task(t, o, func(task *core.AssembleTask) { task.Attempt, task.Parked = 2*parked+5, parked }))
			wait := r.Until.Sub(now)
			if r.Kind != dsar.ReportParked || r.Code != code || r.Outcome != "" || len(r.Objects) > 0 || wait < last || wait > time.Hour || wait < 5*time.Second {
				t.Errorf("%s: parked %d times before: %+v", code, parked, r)
			}
			last = wait
			w.readsDetail(t, r, "camille")
		}
		r := w.do(t, w.task(t, o, func(task *core.AssembleTask) { task.Attempt, task.Parked = 12, 11 }))
		if r.Kind != dsar.ReportFailed || r.Outcome != dsar.Failed || r.Code != code {
			t.Errorf("%s: in the end: %+v", code, r)
		}
		w.outboxStore.Fault, w.vaultStore.Fault = nil, nil
		if r := w.do(t, w.task(t, o)); r.Outcome != dsar.Assembled {
			t.Errorf("%s: afterwards: %+v", code, r)
		}
	}
}

// readsDetail opens the sealed detail of a report, where there is one.
func (w *fixture) readsDetail(t *testing.T, r dsar.Report, want string) {
	t.Helper()
	if r.Detail == nil {
		return // no keys to seal it with
	}
	text, err := w.keys.Open(r.Detail, vault.ReportDetail)
	if err != nil || !strings.Contains(string(text), want) {
		t.Errorf("the detail says %q, %v", text, err)
	}
}

// TestOutboxFailsInTheMiddle: the disk is full after half of the bundle.
func TestOutboxFailsInTheMiddle(t *testing.T) {
	t.Parallel()
	w := newFixture(t)
	o := w.gathered(t, 5, "x")
	w.outboxStore.Fault = failing(blobtest.OpWrite)
	if r := w.do(t, w.task(t, o)); r.Kind != dsar.ReportParked || r.Code != "outbox-unavailable" {
		t.Errorf("report %+v", r)
	}
	if n := len(w.outboxStore.Blobs()); n != 0 {
		t.Errorf("%d bundles are there", n)
	}
}

// TestFailed: what trying again can't mend is for a person, with a code and a
// reason that names the system.
func TestFailed(t *testing.T) {
	t.Parallel()
	stored := "objects/billing/" + requestID + "/" + strings.ReplaceAll(strings.TrimPrefix(object, "billing/"), "/", "~")
	for name, c := range map[string]struct {
		code string
		do   func(t *testing.T, w *fixture, task *core.AssembleTask)
	}{
		"the keys were destroyed": {"keys-destroyed", func(t *testing.T, w *fixture, _ *core.AssembleTask) { must(t, w.vault.Shred(t.Context(), requestID)) }},
		"a request without keys": {"no-keys", func(_ *testing.T, _ *fixture, task *core.AssembleTask) {
			task.RequestID = "00000000-0000-4000-8000-000000000001"
		}},
		"an object is missing": {dsar.CodeObjectMissing, func(_ *testing.T, w *fixture, _ *core.AssembleTask) { w.vaultStore.Set(stored, nil) }},
		"an object is damaged": {dsar.CodeObjectDamaged, func(_ *testing.T, w *fixture, _ *core.AssembleTask) {
			content := slices.Clone(w.vaultStore.Blobs()[stored])
			content[len(content)/2] ^= 1
			w.vaultStore.Set(stored, content)
		}},
		"an object is cut short": {dsar.CodeObjectDamaged, func(_ *testing.T, w *fixture, _ *core.AssembleTask) {
			content := w.vaultStore.Blobs()[stored]
			w.vaultStore.Set(stored, content[:len(content)/2])
		}},
		"an object is shorter than reported": {dsar.CodeObjectDamaged, func(_ *testing.T, _ *fixture, task *core.AssembleTask) {
			task.Answer.Systems[0].Ends[0].Objects[0].Bytes++
		}},
		"an object is longer than reported": {dsar.CodeObjectDamaged, func(_ *testing.T, _ *fixture, task *core.AssembleTask) {
			task.Answer.Systems[0].Ends[0].Objects[0].Bytes--
		}},
		"an object is no stream of records": {dsar.CodeObjectDamaged, func(t *testing.T, w *fixture, task *core.AssembleTask) {
			task.Answer.Systems[0].Ends[0].Objects[0] = w.raw(t, "camille was here\n")
		}},
		"an object is a stream without end": {dsar.CodeObjectDamaged, func(t *testing.T, w *fixture, task *core.AssembleTask) {
			task.Answer.Systems[0].Ends[0].Objects[0] = w.raw(t, `{"habeas":"records/1"}`+"\n")
		}},
		"an undeclared dataset": {"undeclared", func(t *testing.T, w *fixture, task *core.AssembleTask) {
			task.Answer.Systems[0].Ends[0].Objects[0] = w.raw(t, `{"habeas":"records/1"}`+"\n"+`{"dataset":"secrets","columns":["a"]}`+"\n"+`["camille"]`+"\n"+`{"end":1}`+"\n")
		}},
		"an identifier of another request": {"identifier-damaged", func(t *testing.T, w *fixture, task *core.AssembleTask) {
			keys, err := w.vault.CreateKeys(t.Context(), "other")
			must(t, err)
			task.Answer.Identifiers[0].Sealed, err = keys.Seal([]byte(address), vault.Identifier)
			must(t, err)
		}},
		"a system without a manifest": {"no-manifest", func(_ *testing.T, _ *fixture, task *core.AssembleTask) { task.Answer.Systems[0].System = "marketo" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFixture(t)
			task := w.task(t, w.gathered(t, 3, "x"))
			c.do(t, w, &task)
			r := w.do(t, task)
			if r.Kind != dsar.ReportFailed || r.Outcome != dsar.Failed || r.Code != c.code {
				t.Errorf("report %+v", r)
			}
			if strings.HasPrefix(c.code, "object-") && (r.Cause == nil || r.Cause.System != "billing") {
				t.Errorf("the cause doesn't say whose object it is: %v", r.Cause)
			}
			if n := len(w.outboxStore.Blobs()); n != 0 {
				t.Errorf("%d bundles are there", n)
			}
		})
	}
}
