package bundle_test

import (
	"fmt"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/bundle/bundletest"
	"habeas.dev/services/internal/core"
)

// TestFirstMessagesAreFiles: of more messages than there are files of, the page says how many are
// files each and that the table has all, in the person's language; of fewer it says nothing.
func TestFirstMessagesAreFiles(t *testing.T) {
	t.Parallel()
	post := &manifest.Manifest{
		System: "post", Title: text("Post", "Courrier"), Needs: []dsar.IdentifierType{"email"},
		Datasets: []manifest.Dataset{{
			Name: "notes", Title: text("Notes", "Messages"), Category: "commercial information", Origin: manifest.Provided, Purpose: text("To answer", "Répondre"), LegalBasis: "contract", Storage: text("A year", "Un an"),
			Columns: []manifest.Column{{Name: "sent", Type: "datetime"}, {Name: "words"}},
			Message: &manifest.Message{Sent: "sent", Text: "words"},
		}},
	}
	for n, said := range map[int]map[string]string{1000: {"en": "", "fr": ""}, 1001: {"en": "the first 1,000 of 1,001: the table has them all", "fr": "les 1\u202f000 premiers sur 1\u202f001 : le tableau les contient tous"}} {
		for language, said := range said {
			in := accessInput(t)
			if language == "fr" {
				in = inFrench(in)
			}
			var records []record.Record
			for i := range n {
				records = append(records, record.Record{"sent": "2026-01-02T03:04:05Z", "words": fmt.Sprint("note ", i)})
			}
			in.Systems = []part{{Manifest: post, Ends: []core.ActionEnd{ended(dsar.Gather, dsar.Gathered)}, Sources: []bundle.Source{source(t, rows{"notes", []string{"sent", "words"}, records})}}}
			data, _ := write(t, in)
			verifies(t, data)
			files := unpack(t, data)
			messages := 0
			for name := range files {
				if strings.HasSuffix(name, ".eml") {
					messages++
				}
			}
			page := bundletest.ReadAloud(t, files["data/index.html"])
			if messages != 1000 || said != "" && !strings.Contains(page, said) || said == "" && (strings.Contains(page, "the first") || strings.Contains(page, "premiers sur")) {
				t.Errorf("%d messages, %d files; the page in %s says %s", n, messages, language, page)
			}
		}
	}
}
