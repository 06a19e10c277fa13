// Package wordstest makes languages for tests.
package wordstest

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// Folder writes a folder with one language more, as an operator would: the files of English,
// which are in english, with some texts replaced. It returns the folder.
func Folder(t testing.TB, english, tag string, replaced map[string]string) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, tag), 0o700); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(english, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in %s: %v", english, err)
	}
	left := map[string]bool{}
	for from := range replaced {
		left[from] = true
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for from, to := range replaced {
			if bytes.Contains(text, []byte(from)) {
				text = bytes.ReplaceAll(text, []byte(from), []byte(to))
				delete(left, from)
			}
		}
		if err := os.WriteFile(filepath.Join(folder, tag, filepath.Base(file)), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for from := range left {
		t.Fatalf("no file says %q", from)
	}
	sentences := []byte("Show: Anzeigen\nCustomers: Kundinnen und Kunden\n\"You can also go to court.\": Sie können auch vor Gericht gehen.\n")
	if err := os.WriteFile(filepath.Join(folder, tag, "sentences.yaml"), sentences, 0o600); err != nil {
		t.Fatal(err)
	}
	return folder
}

// German returns the texts that [Folder] replaces for tests in German.
func German() map[string]string {
	return map[string]string{
		"name: English":                                  "name: Deutsch",
		"January, February, March":                       "Januar, Februar, März",
		"August, September, October, November, December": "August, September, Oktober, November, Dezember",
		"We have received your request":                  "Wir haben Ihre Anfrage erhalten",
		"We can’t do what you asked":                     "Wir können Ihrer Anfrage nicht entsprechen",
		"Postal address":                                 "Postanschrift",
		"access: The data we hold about you":             "access: Die Daten, die wir über Sie haben",
	}
}
