package receipt

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"time"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/words"
)

// Script checks a receipt in a browser: it defines checkReceipt(receipt, proof, key).
//
//go:embed check.js
var Script string

//go:embed page.js
var pageScript string

//go:embed page.css
var pageStyle string

//go:embed page.gohtml
var pageText string

// errDocument says that a receipt isn't one.
var errDocument = telemetry.Constant("receipt: what the log committed to isn't a receipt")

// Page returns a receipt as a page of its own, in the person's language: it holds the
// receipt, its proof and the log's verifier key, and the script that checks them. It loads
// nothing and asks nobody, so that it can be kept, and opened offline.
func Page(r Receipt, key string, l *words.Language, local func(time.Time) time.Time) ([]byte, error) {
	var d Document
	if err := json.Unmarshal(r.Document, &d); err != nil || d.Form != formReceipt {
		return nil, errDocument
	}
	t, err := template.New("receipt").Funcs(template.FuncMap{"t": func(key string) string { return l.Portal[key] }}).Parse(pageText)
	if err != nil {
		return nil, fmt.Errorf("receipt: %w", err)
	}
	script := "\n" + Script + pageScript
	var out bytes.Buffer
	err = t.Execute(&out, struct {
		Tag, Request, Short, Right, Received, Ended, Document, Proof, Key string
		Style                                                             template.CSS
		Script                                                            template.JS
		StyleHash, ScriptHash                                             string
	}{
		Tag: l.Tag, Request: d.Request, Short: d.Request[:8], Right: l.Portal["right."+string(d.Right)],
		Received: l.PlainDate(local(d.Received)), Ended: l.PlainDate(local(d.Ended)),
		Document: string(r.Document), Proof: string(r.Proof), Key: key,
		Style: template.CSS(pageStyle), Script: template.JS(script), StyleHash: hashOf(pageStyle), ScriptHash: hashOf(script), //nolint:gosec // both are this package's own files
	})
	if err != nil {
		return nil, fmt.Errorf("receipt: %w", err)
	}
	return out.Bytes(), nil
}

// hashOf returns what a page's policy names a style or a script by.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}
