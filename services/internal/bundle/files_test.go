package bundle_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/core"
)

// filesInput returns an answer of whose records each holds a file.
func filesInput(t testing.TB, records []record.Record) input {
	in := accessInput(t)
	ds := manifest.Dataset{
		Name: "letters", Title: text("Letters", "Lettres"), Category: "customer records", Origin: manifest.Provided, Purpose: text("To answer you", "Vous répondre"), LegalBasis: "contract", Storage: text("A year", "Un an"),
		File: &manifest.File{Content: "body", Name: "name"}, Columns: []manifest.Column{{Name: "name"}, {Name: "body"}, {Name: "by"}},
		Others: []manifest.Others{{Columns: []string{"body"}, When: map[string]string{"by": "other"}}},
	}
	m := &manifest.Manifest{System: "desk", Datasets: []manifest.Dataset{ds}}
	in.Systems = []part{{Manifest: m, Ends: []core.ActionEnd{ended(dsar.Gather, dsar.Gathered)}, Sources: []bundle.Source{source(t, rows{"letters", []string{"name", "body", "by"}, records})}}}
	return in
}

// TestFilesAreFiles: what a record holds of a file lies beside the tables, by its name and to the
// byte; the record says where; and what is none, or is about somebody else, is no file.
func TestFilesAreFiles(t *testing.T) {
	t.Parallel()
	b64 := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	data, _ := write(t, filesInput(t, []record.Record{
		{"name": "C:\\photos\\Été 1.JPG", "body": b64("a picture"), "by": "me"}, {"name": "../../evil<script>.html", "body": b64("<b>x</b>"), "by": "me"}, {"name": nil, "body": b64("nameless"), "by": "me"},
		{"name": "call.ogg", "body": b64("a call"), "by": "me"}, {"name": "secret.txt", "body": b64("somebody else's"), "by": "other"}, {"name": "gone.txt", "body": nil, "by": "me"}, {"name": "x.txt", "body": "no base64 at all!", "by": "me"},
		{"name": strings.Repeat("long", 50) + ".pdf", "body": b64("a form"), "by": "me"},
	}))
	verifies(t, data)
	files := unpack(t, data)
	want := map[string]string{
		"data/desk/letters/1-Été_1.JPG": "a picture", "data/desk/letters/2-evilscript.html": "<b>x</b>", "data/desk/letters/3": "nameless", "data/desk/letters/4-call.ogg": "a call",
		"data/desk/letters/8-" + strings.Repeat("long", 19) + ".pdf": "a form",
	}
	for name, content := range want {
		if files[name] != content {
			t.Errorf("%s: %q", name, files[name])
		}
	}
	for name, content := range files {
		if strings.HasPrefix(name, "data/desk/letters/") && want[name] == "" || strings.Contains(content, "somebody else's") || strings.Contains(content, b64("a picture")) || strings.Contains(content, b64("somebody else's")) {
			t.Errorf("%s is there", name)
		}
	}
	var all []map[string]any
	if err := json.Unmarshal([]byte(files["data/desk/letters.json"]), &all); err != nil || all[0]["body"] != "desk/letters/1-Été_1.JPG" || all[6]["body"] != "no base64 at all!" || all[5]["body"] != nil {
		t.Errorf("%v, %v", err, all)
	}
	page := files["data/index.html"]
	for _, has := range []string{`<img loading="lazy" src="desk/letters/1-%C3%89t%C3%A9_1.JPG" alt="1-Été_1.JPG">`, `<audio controls preload="none" src="desk/letters/4-call.ogg">`, `<a download href="desk/letters/2-evilscript.html">2-evilscript.html</a>`, "no base64 at all!"} {
		if !strings.Contains(page, has) {
			t.Errorf("the page hasn't %s", has)
		}
	}
}

// TestManyFiles: of a dataset that doesn't fit into memory each record's file is its own.
func TestManyFiles(t *testing.T) {
	t.Parallel()
	var records []record.Record
	for i := range 60 {
		records = append(records, record.Record{"name": "f.bin", "body": base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{byte(i)}, 9000)), "by": strings.Repeat("me ", 3000)})
	}
	data, _ := write(t, filesInput(t, records))
	verifies(t, data)
	files := unpack(t, data)
	var all []map[string]string
	if err := json.Unmarshal([]byte(files["data/desk/letters.json"]), &all); err != nil || len(all) != 60 {
		t.Fatal(err, len(all))
	}
	for i, one := range all {
		if content := files["data/"+one["body"]]; content != string(bytes.Repeat([]byte{byte(i)}, 9000)) {
			t.Errorf("record %d has the file %s of %d bytes", i, one["body"], len(content))
		}
	}
}
