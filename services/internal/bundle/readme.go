package bundle

import (
	"bytes"
	_ "embed" // the page
	"fmt"
	"html/template"
	"net/url"

	"habeas.dev/services/internal/words"
)

//go:embed readme.gohtml
var readMeText string

var readMePage = template.Must(template.New(readMeFile).Parse(readMeText))

// readMeView is what the page beside the folder says.
type readMeView struct {
	W           *words.Answer
	Title, Lead string
	Page        template.URL
	Folder      string
}

// readMe writes the page that lies beside the folder, before anything is read of a record.
func (b *build) readMe() error {
	w, r := b.words, b.in.Right
	folder := b.archive.top[:len(b.archive.top)-1]
	var page bytes.Buffer
	err := readMePage.Execute(&page, readMeView{
		W: w, Title: titleOr(w.Title[r], titleOr(words.Named(w.RightNames, r), w.Title["access"])), Lead: w.ReadMeLead, Folder: folder,
		Page: template.URL(url.PathEscape(folder) + "/" + payloadDir + pageFile), //nolint:gosec // names of our own, escaped
	})
	if err != nil {
		return fmt.Errorf("bundle: %s: %w", readMeFile, err)
	}
	b.archive.readMe, err = b.archive.addAt("", readMeFile, page.Bytes())
	return err
}
