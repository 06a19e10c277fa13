package bundle_test

import (
	"strings"
	"testing"

	"habeas.dev/services/internal/bundle/bundletest"
)

// TestBackupsAreNamed: a certificate says until when backups may hold what was erased,
// where the manifest says how long they do, and says nothing of backups else.
func TestBackupsAreNamed(t *testing.T) {
	t.Parallel()
	for lang, says := range map[string]string{"en": "Backups of this system may still hold it until", "fr": "Les sauvegardes de ce système peuvent encore le contenir jusqu’au"} {
		for _, period := range []string{"", "P35D"} {
			in := erasureInput(t)
			in.Locale = lang
			for i := range in.Systems {
				m := *in.Systems[i].Manifest
				m.Backups = period
				in.Systems[i].Manifest = &m
			}
			data, _ := write(t, in)
			verifies(t, data)
			files := unpack(t, data)
			page := bundletest.ReadAloud(t, files["data/index.html"])
			if said := strings.Contains(page, says); said != (period != "") {
				t.Errorf("%s, backups %q: said %t:\n%s", lang, period, said, page)
			}
		}
	}
}
