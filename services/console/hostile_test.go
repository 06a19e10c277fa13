package console_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/console"
)

// hostile returns texts that somebody may write into a field.
func hostile() map[string]string {
	return map[string]string{
		"script": `"><script>alert(1)</script>`, "attribute": `' onmouseover='alert(1)`, "template": `{{.Body}}${7*7}<%= 1 %>`, "address": `javascript:alert(1)`,
		"sql": `'; DROP TABLE request; --`, "sql-union": `x' UNION SELECT * FROM fact --`, "path": `../../../../etc/passwd`, "path-encoded": `..%2f..%2fetc%2fpasswd`,
		"header": "x\r\nSet-Cookie: session=mine\r\n\r\n<html>", "log": "x\nlevel=ERROR msg=forged", "nul": "a\x00b", "not-utf8": "a\xff\xfeb",
		"bidi": "a\u202eb", "number": "99999999999999999999999999", "minus": "-1", "long": strings.Repeat("x", 10<<20),
	}
}

// harmless looks at an answer to something hostile: Habeas isn't broken by it, and
// a browser isn't told to run it, nor to set or follow anything.
func (d *desk) harmless(t *testing.T, what string, w *httptest.ResponseRecorder) {
	t.Helper()
	if w.Code >= 500 {
		t.Errorf("%s: %d", what, w.Code)
	}
	if w.Body.Len() > 1<<20 {
		t.Errorf("%s: %d bytes come back", what, w.Body.Len())
	}
	if html := w.Body.String(); strings.Contains(html, "<script>alert") || strings.Contains(html, "onmouseover='") || strings.Contains(html, `href="javascript:`) {
		t.Errorf("%s: it runs", what)
	}
	for name, values := range w.Result().Header {
		for _, v := range values {
			if strings.ContainsAny(v, "\r\n\x00") || strings.Contains(v, "session=mine") {
				t.Errorf("%s: header %s: %q", what, name, v)
			}
		}
	}
	if to := w.Header().Get("Location"); to != "" && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//")) {
		t.Errorf("%s: sent to %q", what, to)
	}
}

// TestHostileForms writes what is hostile into every field of every form, and
// into fields that there aren't.
func TestHostileForms(t *testing.T) {
	t.Parallel()
	for _, m := range mayDo() {
		method, path, _ := strings.Cut(m.pattern, " ")
		if method != http.MethodPost {
			continue
		}
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			id := m.on(d)
			target := strings.ReplaceAll(path, "{id}", id)
			fields := []string{"none"}
			for name := range m.form(d, id) {
				fields = append(fields, name)
			}
			for _, field := range fields {
				for name, payload := range hostile() {
					form := m.form(d, id)
					form.Set(field, payload)
					var w *httptest.ResponseRecorder
					if strings.HasSuffix(path, "/answer") {
						w = d.send(d.as(console.Officer), multipartForm(t, target, form))
					} else {
						w = d.call(d.as(console.Officer), method, target, form)
					}
					d.harmless(t, field+" "+name, w)
					if name == "long" && w.Code < 400 {
						t.Errorf("%s: 10 MB are taken: %d", field, w.Code)
					}
				}
			}
			w := d.call(d.as(console.Viewer), http.MethodGet, "/requests/"+id, nil)
			d.harmless(t, "the page afterwards", w)
			if w.Code != http.StatusOK {
				t.Errorf("the page afterwards: %d", w.Code)
			}
			if _, texts := d.facts(id, 1); strings.Contains(strings.Join(texts, ""), canary) {
				t.Error("the journal holds who it is")
			}
			if log := d.log.String(); log != "" {
				t.Errorf("the log: %.300s", log)
			}
		})
	}
}

// TestHostileAddresses writes it into paths and queries.
func TestHostileAddresses(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.running()
	session := d.as(console.Viewer)
	for name, payload := range hostile() {
		if name == "long" {
			payload = payload[:16<<10] // a server reads no longer line
		}
		q := url.QueryEscape(payload)
		for _, target := range []string{"/?view=" + q, "/?view=all&status=" + q, "/?right=" + q, "/?law=" + q, "/?system=" + q, "/?after=" + q, "/?after=1.1." + q, "/?due=" + q, "/?mine=" + q,
			"/requests/" + url.PathEscape(payload), "/requests/" + id + "?done=" + q, "/requests/" + id + "/live?version=" + q, "/assets/" + url.PathEscape(payload), "/" + url.PathEscape(payload)} {
			if strings.Contains(target, "/live") {
				continue // TestLive… has streams
			}
			d.harmless(t, name+" "+target[:min(len(target), 40)], d.call(session, http.MethodGet, target, nil))
		}
		d.harmless(t, "cookie "+name, d.call([]*http.Cookie{{Name: "__Host-habeas-session", Value: url.QueryEscape(payload)[:min(3000, len(q))]}}, http.MethodGet, "/assets/icon.svg", nil))
		d.harmless(t, "language "+name, d.call(session, http.MethodGet, "/systems", nil, "Accept-Language", q[:min(1000, len(q))]))
	}
	if log := d.log.String(); log != "" {
		t.Errorf("the log: %.300s", log)
	}
}

// TestHostileFiles hands over files under names, in datasets and with content
// that nobody would.
func TestHostileFiles(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	for what, c := range map[string]struct {
		dataset, content string
		takes            bool
	}{
		"records":       {"invoices", "number,amount\n1,10\n2,20\n", true},
		"formulas":      {"invoices", "number,amount\n=cmd|' /C calc'!A0,1\n", true}, // the bundle's cells are escaped where they are written
		"another":       {"payments", "number\n1\n", false},
		"path":          {"../../invoices", "number\n1\n", false},
		"empty":         {"invoices", "", false},
		"column":        {"invoices", "number,password\n1,2\n", false},
		"binary":        {"invoices", "\x00\x01\x02\xff", false},
		"open json":     {"invoices", "[" + strings.Repeat("[", 100_000), false},
		"one long cell": {"invoices", "number\n" + strings.Repeat("1", 20<<20) + "\n", false},
		"script":        {"invoices", "number\n<script>alert(1)</script>\n", true},
	} {
		id := d.failed()
		before := d.version(id)
		form := d.form(id, "system", "billing", "action", "gather", "outcome", "gathered")
		w := d.send(d.as(console.Agent), multipartForm(t, "/requests/"+id+"/answer", form, "file:"+c.dataset, c.content))
		d.harmless(t, what, w)
		types, _ := d.facts(id, before+1)
		if taken := len(types) > 0; taken != c.takes {
			t.Errorf("%s: %d, taken: %t", what, w.Code, taken)
		}
	}
	if log := d.log.String(); log != "" {
		t.Errorf("the log: %.300s", log)
	}
}

// TestFilesThatNeverEnd takes no more than the limit, and says so.
func TestFilesThatNeverEnd(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	id := d.failed()
	const boundary = "b"
	var head strings.Builder
	for name, values := range d.form(id, "system", "billing", "action", "gather", "outcome", "gathered") {
		fmt.Fprintf(&head, "--%s\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", boundary, name, values[0])
	}
	fmt.Fprintf(&head, "--%s\r\nContent-Disposition: form-data; name=\"file:invoices\"; filename=\"a.csv\"\r\n\r\nnumber,amount\n", boundary)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, origin+"/requests/"+id+"/answer", io.MultiReader(strings.NewReader(head.String()), endless{}))
	r.Header.Set("Content-Type", "multipart/form-data; boundary="+boundary)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	before := d.version(id)
	w := d.send(d.as(console.Agent), r)
	if types, _ := d.facts(id, before+1); w.Code != http.StatusUnprocessableEntity || len(types) > 0 {
		t.Errorf("%d, %v", w.Code, types)
	}
}

// endless are records without an end: long ones, so that not their number is
// what stops them.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '1'
		if i%4096 == 4095 {
			p[i] = '\n'
		} else if i%4096 == 100 {
			p[i] = ','
		}
	}
	return len(p), nil
}

// FuzzFind searches for anything: the answer is a page or the request's own
// address, what was searched for is in no address and no log, and nobody else's
// requests are found.
func FuzzFind(f *testing.F) {
	for _, text := range hostile() {
		f.Add(text[:min(len(text), 2000)])
	}
	f.Add(canary)
	f.Add(strings.ToUpper(canary))
	f.Add(" " + canary + "\t")
	f.Add("9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11")
	f.Add("urn:uuid:9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11")
	f.Add("{9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11}")
	f.Add("")
	d := newDesk(f)
	id := d.submit(dsar.Access)
	f.Fuzz(func(t *testing.T, text string) {
		d.later(time.Minute) // or one viewer would soon have searched too often for an hour
		w := d.call(d.as(console.Viewer), http.MethodPost, "/find", url.Values{"for": {text}})
		d.harmless(t, "find", w)
		trimmed := strings.TrimSpace(text)
		if to := w.Header().Get("Location"); to != "" && to != "/" && to != "/requests/"+strings.ToLower(trimmed) {
			t.Errorf("sent to %q", to)
		}
		mine := d.vault.Fingerprint("email", trimmed) == d.vault.Fingerprint("email", canary)
		if found := w.Code == http.StatusOK && strings.Contains(w.Body.String(), id); found != mine {
			t.Errorf("found: %t, want %t", found, mine)
		}
		if len(trimmed) > 12 && (strings.Contains(w.Body.String(), trimmed) || strings.Contains(d.log.String(), trimmed)) && !inEveryPage(d, trimmed) {
			t.Errorf("what was searched for comes back")
		}
	})
}

// inEveryPage reports whether a text is one of the console's own.
func inEveryPage(d *desk, text string) bool {
	return strings.Contains(d.call(d.as(console.Viewer), http.MethodPost, "/find", url.Values{"for": {"nobody at all"}}).Body.String(), text)
}
