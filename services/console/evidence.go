package console

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"golang.org/x/mod/sumdb/note"

	"habeas.dev/services/internal/evidence"
	"habeas.dev/services/internal/outbox"
	"habeas.dev/services/internal/timeline"
)

// Evidence is what packs of evidence are made with.
type Evidence struct {
	// Signer signs them; nil: they aren't signed, and say so.
	Signer note.Signer
	// Receipt returns a request's receipt and its proof; ok is false where there is none.
	Receipt func(ctx context.Context, requestID string) (document, proof []byte, ok bool, err error)
}

// evidenceBody is what the document of a pack is given.
type evidenceBody struct {
	requestBody
	Made       time.Time
	By         string
	Written    []shownLetter
	Missing    int // letters that aren't in the outbox any more
	Receipt    bool
	Signed     string // by whom; empty: by nobody
	Controller string
}

// Last returns the hash of the last fact, which all before it follow from.
func (b evidenceBody) Last() string {
	if len(b.Facts) == 0 {
		return ""
	}
	return b.Facts[len(b.Facts)-1].Hash
}

// packEvidence hands out what proves how a request was dealt with.
func (c *Console) packEvidence(w http.ResponseWriter, r *http.Request, u User) {
	id, read, ok := c.named(w, r, u)
	if !ok {
		return
	}
	files, err := c.evidenceOf(r, u, read)
	var out bytes.Buffer
	if err == nil {
		err = evidence.Write(&out, id, files, c.Evidence.Signer, c.now())
	}
	if err != nil {
		c.broken(w, r, u, err)
		return
	}
	w.Header().Set("Content-Type", "application/zip")
	w.Header().Set("Content-Disposition", `attachment; filename="evidence-`+id+`.zip"`)
	_, _ = out.WriteTo(w)
}

// evidenceOf returns the files of a request's pack: the document first.
func (c *Console) evidenceOf(r *http.Request, u User, read reading) ([]evidence.File, error) {
	lang := languageOf(r)
	body := c.bodyOf(lang, read, Nobody)
	b := evidenceBody{requestBody: body, Made: c.now(), By: u.Name, Controller: c.Operator.For(body.Jurisdiction).Name}
	if c.Evidence.Signer != nil {
		b.Signed = c.Evidence.Signer.Name()
	}
	list, err := evidence.Facts(read.facts)
	if err != nil {
		return nil, err
	}
	told, err := json.MarshalIndent(timeline.BuildOpened(read.facts, read.events, timeline.English, timeline.ByName, c.Policy.Local), "", "  ")
	if err != nil {
		return nil, err
	}
	data := []evidence.File{list, {Name: "trace.json", Data: told}}
	for _, l := range read.state.Letters {
		if c.Letters == nil {
			b.Missing++
			continue
		}
		text, err := c.openLetter(r.Context(), outbox.LetterName(body.RequestID, l.Cause, l.Letter, l.Language))
		if err != nil { // its time had come, or it was never there: the document says so
			b.Missing++
			continue
		}
		b.Written = append(b.Written, shownAs(body.RequestID, l, text))
		data = append(data, evidence.File{Name: "letters/" + strconv.Itoa(l.Cause) + "-" + string(l.Letter) + ".txt", Data: []byte(text)})
	}
	if c.Evidence.Receipt != nil {
		document, proof, ok, err := c.Evidence.Receipt(r.Context(), body.RequestID)
		if err != nil {
			return nil, err
		}
		if b.Receipt = ok; ok {
			data = append(data, evidence.File{Name: "receipt.json", Data: document}, evidence.File{Name: "receipt.tlog-proof", Data: proof})
		}
	}
	html, err := c.part(lang, "evidence.html", "evidence", page{Lang: lang, User: u, Now: c.Now(), Body: b})
	if err != nil {
		return nil, err
	}
	return append([]evidence.File{{Name: "evidence.html", Data: html}}, data...), nil
}
