package dsar_test

import (
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
)

// TestUnwritten: one letter for each occasion, none twice, and none that came too late
// to be of use.
func TestUnwritten(t *testing.T) {
	t.Parallel()
	all := []dsar.Event{
		dsar.Accepted{RequestID: "r", Right: dsar.Erasure},
		dsar.ProofAsked{Checks: []dsar.Check{dsar.CheckIdentity}},
		dsar.LetterSent{Letter: dsar.LetterConfirmation, Cause: 1},
		dsar.ProofJudged{Accepted: true},
		dsar.Extended{Reason: "much"},
		dsar.TaskEnded{System: "s", Action: dsar.Prove, Counts: []dsar.Counts{{Retained: []dsar.Retention{{Records: 1}}}}},
		dsar.Completed{},
	}
	var got []string
	for _, o := range dsar.Fold(all[:6]).Unwritten() {
		got = append(got, string(o.Letter))
	}
	if s := strings.Join(got, " "); s != "proof extension" {
		t.Errorf("before the end: %s", s)
	}
	due := dsar.Fold(all).Unwritten()
	if len(due) != 2 || due[0].Letter != dsar.LetterExtension || due[1].Letter != dsar.LetterCertificate || due[1].Cause != 7 || !due[1].Kept {
		t.Errorf("after it: %+v", due)
	}
}
