package aggregator_test

import (
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/internal/core"
)

// TestWhatStoodThereIsLost: an answer to a correction whose former values can't be read fails
// for a person, and names the system. Once they have it made without, it says that it can't tell
// them, in each language; where they were restored by then, it tells them.
func TestWhatStoodThereIsLost(t *testing.T) {
	t.Parallel()
	const name = "billing/rectify/1-abc"
	stored := "objects/billing/" + requestID + "/rectify~1-abc"
	for _, lang := range []struct{ tag, says string }{{"en", "that note can no longer be read"}, {"fr", "cette note n’est plus lisible"}} {
		w := newFixture(t)
		out, err := w.vault.Create(t.Context(), requestID, name)
		must(t, err)
		records := record.NewWriter(out)
		must(t, records.Begin(record.Section{Dataset: "invoices", Columns: []string{worker.FormerColumn, worker.FormerWas, worker.FormerIs, worker.FormerRecords}}))
		must(t, records.Write(record.Record{worker.FormerColumn: "note", worker.FormerWas: "camille lived here", worker.FormerIs: "moved", worker.FormerRecords: 1}))
		must(t, records.Close())
		must(t, out.Close())
		task := w.task(t, dsar.Object{}, func(task *core.AssembleTask) {
			task.Right, task.Locale = dsar.Rectification, lang.tag
			task.Answer.Systems[0].Ends = []core.ActionEnd{{Action: dsar.Rectify, Outcome: dsar.Rectified, At: received, Objects: []dsar.Object{{Name: name, Bytes: out.Bytes(), Records: 1}},
				Counts: []dsar.Counts{{Dataset: "invoices", Found: 1, Rectified: 1, Changed: []string{"note"}}}}}
		})
		whole := w.vaultStore.Blobs()[stored]
		damaged := slices.Clone(whole)
		damaged[len(damaged)/2] ^= 1
		for how, content := range map[string][]byte{"damaged": damaged, "gone": nil} {
			w.vaultStore.Set(stored, content)
			task.Answer.Systems[0].Unread = 0
			if r := w.do(t, task); r.Kind != dsar.ReportFailed || r.Code != core.CodeFormerLost || r.Cause == nil || r.Cause.System != "billing" {
				t.Errorf("%s: %+v", how, r)
			}
			task.Answer.Systems[0].Unread = 7
			if r := w.do(t, task); r.Outcome != dsar.Assembled {
				t.Fatalf("%s, without: %+v", how, r)
			}
			if files := w.answer(t); !strings.Contains(files["index.html"], lang.says) || !strings.Contains(files["answer.json"], `"former-unread"`) || strings.Contains(files["answer.json"], "camille lived") {
				t.Errorf("%s, in %s: it isn't said that they can't be told:\n%s", how, lang.tag, files["answer.json"])
			}
		}
		w.vaultStore.Set(stored, whole)
		if r := w.do(t, task); r.Outcome != dsar.Assembled {
			t.Fatalf("restored: %+v", r)
		}
		if files := w.answer(t); strings.Contains(files["answer.json"], "former-unread") || !strings.Contains(files["index.html"], "camille lived here") {
			t.Errorf("restored, in %s: they aren't told", lang.tag)
		}
	}
}
