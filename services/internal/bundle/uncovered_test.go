package bundle_test

import (
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/bundle/bundletest"
	"habeas.dev/services/internal/core"
)

// TestWhatIsNotCoveredIsNamed: a person has left it at what could be reached. No
// page calls it all, or nothing, or proven; and no reason that was meant for the
// staff is in the folder.
func TestWhatIsNotCoveredIsNamed(t *testing.T) {
	t.Parallel()
	const secret = "grant the integration user access"
	gap := dsar.Counts{Dataset: "registrations", Uncovered: secret}
	for _, right := range dsar.Rights() {
		for lang, says := range map[string][]string{
			"en": {"Events Incomplete A part of this system could not be reached", "Events · Registrations", "We could not reach this part"},
			"fr": {"Événements Incomplet Une partie de ce système n’a pas pu être consultée", "Événements · Inscriptions", "Nous n’avons pas pu accéder à cette partie"},
		} {
			in := accessInput(t)
			in.Right, in.Locale = right, lang
			stages := right.Stages()
			var ends []core.ActionEnd
			for _, a := range stages[:len(stages)-1] {
				ends = append(ends, ended(a, dsar.Incomplete, gap))
			}
			in.Systems = []part{{Manifest: eventsManifest(), Ends: ends}}
			data, _ := write(t, in)
			verifies(t, data)
			files := unpack(t, data)
			page := bundletest.ReadAloud(t, files["data/index.html"])
			for _, s := range says {
				if !strings.Contains(page, s) {
					t.Errorf("%s, %s: the page doesn't say %q:\n%s", right, lang, s, page)
				}
			}
			for _, s := range []string{"holds nothing about you", "Asked again", "None of them holds any", "Nothing was left out", "ne détient rien sur vous", "Aucun n’en contient"} {
				if strings.Contains(page, s) {
					t.Errorf("%s, %s: the page says %q", right, lang, s)
				}
			}
			for name, content := range files {
				if strings.Contains(content, secret) {
					t.Errorf("%s, %s: %s has the reason for the staff", right, lang, name)
				}
			}
		}
	}
}

// TestWhatWasCoveredLaterIsNotNamed: a person attested the rest, or the permission
// came in between.
func TestWhatWasCoveredLaterIsNotNamed(t *testing.T) {
	t.Parallel()
	in := erasureInput(t)
	gap := dsar.Counts{Dataset: "scores", Uncovered: "forbidden"}
	account := &in.Systems[0]
	account.Ends = []core.ActionEnd{
		ended(dsar.Plan, dsar.Incomplete, dsar.Counts{Dataset: "profiles", Found: 1}, gap),
		ended(dsar.Erase, dsar.Incomplete, dsar.Counts{Dataset: "profiles", Found: 1, Erased: 1}, gap),
		ended(dsar.Prove, dsar.Proven),
	}
	data, _ := write(t, in)
	page := bundletest.ReadAloud(t, unpack(t, data)["data/index.html"])
	if strings.Contains(page, "Incomplete") || !strings.Contains(page, "Account Erased") {
		t.Error(page)
	}
}
