package mail

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"
)

// said returns what of a page is read, and the addresses that it opens or loads.
func said(t *testing.T, page string) (text string, links, loads []string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for n := range doc.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" && n.Parent.Data != "title" {
			b.WriteString(n.Data)
		}
		if n.Data == "p" || n.Data == "h1" {
			b.WriteString("\n")
		}
		for _, a := range n.Attr {
			switch {
			case n.Data == "a" && a.Key == "href":
				links = append(links, a.Val)
			case a.Key == "src" || a.Key == "href" || a.Key == "background" || strings.Contains(a.Val, "url("):
				loads = append(loads, a.Val)
			case strings.HasPrefix(a.Key, "on"):
				t.Errorf("a page that runs %s", a.Key)
			}
		}
	}
	return strings.Join(strings.Fields(b.String()), " "), links, loads
}

// TestPageSaysWhatTheTextSays: a mail's HTML part says what its text says, whatever that holds; it
// loads nothing, and opens no address but those of the text.
func TestPageSaysWhatTheTextSays(t *testing.T) {
	t.Parallel()
	const long = "https://privacy.example.com/r/9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11?a=1&b=%2F"
	for name, m := range map[string]Message{
		"a code":      {Subject: "Your code", Text: "The code is 1234 5678\n\nType it.\n", Strong: "1234 5678", Language: "en"},
		"a link":      {Subject: "Votre réponse", Text: "Elle est là : " + long + ".\n\nÀ bientôt\nNous\n", Language: "fr"},
		"what's evil": {Subject: `<script>"x"</script>`, Text: `<img src=x onerror=y> & <a href="javascript:z">` + "\n\njavascript:alert(1) (http://a.example/?q=<b>)", Language: `en"><script>`, Strong: "<b>"},
		"only a link": {Subject: "s", Text: "http://localhost:8422", Language: "ar"},
	} {
		for _, b := range []Brand{{}, {Name: "Dupont & Fils <SA>", Accent: "#1d4f91"}} {
			page, err := b.html(m)
			if err != nil {
				t.Fatal(err)
			}
			text, links, loads := said(t, page)
			whole := m.Text
			for _, link := range links {
				_, bare, _ := strings.Cut(link, "://")
				whole = strings.ReplaceAll(whole, link, bare)
				if !strings.Contains(m.Text, link) {
					t.Errorf("%s: it opens %s", name, link)
				}
			}
			if strings.Contains(text, "…") { // a long address is shown by its beginning
				whole = regexp.MustCompile(`privacy\.example\.com/\S*[^\s.]`).ReplaceAllStringFunc(whole, func(s string) string { return s[:maxShown-1] + "…" })
			}
			if want := strings.Join(strings.Fields(b.Name+" "+m.Subject+" "+whole), " "); text != want {
				t.Errorf("%s:\n%s\nwant\n%s", name, text, want)
			}
			if len(loads) > 0 {
				t.Errorf("%s: it loads %v", name, loads)
			}
			if n := len(address.FindAllString(m.Text, -1)); n != len(links) {
				t.Errorf("%s: %d addresses, %v", name, n, links)
			}
		}
	}
}

// TestMailHasBothParts: with a brand a mail has the text first and the page behind it, as
// alternatives of each other; without one it is its text.
func TestMailHasBothParts(t *testing.T) {
	t.Parallel()
	m := Message{To: []string{"camille@example.com"}, ID: "one", Subject: "Réponse", Text: "Elle est là.\n", Language: "fr", Date: time.Now()}
	for _, brand := range []*Brand{nil, {Name: "Dupont"}} {
		s := Server{From: "privacy@example.com", Brand: brand}
		composed, err := s.compose(m)
		if err != nil {
			t.Fatal(err)
		}
		var wire bytes.Buffer
		if _, err := composed.WriteTo(&wire); err != nil {
			t.Fatal(err)
		}
		got, err := mail.ReadMessage(&wire)
		if err != nil {
			t.Fatal(err)
		}
		kind, params, err := mime.ParseMediaType(got.Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		if brand == nil {
			if kind != "text/plain" {
				t.Errorf("it is %s", kind)
			}
			continue
		}
		var kinds, bodies []string
		for parts := multipart.NewReader(got.Body, params["boundary"]); ; {
			part, err := parts.NextRawPart()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(quotedprintable.NewReader(part))
			if err != nil {
				t.Fatal(err)
			}
			of, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
			kinds, bodies = append(kinds, of), append(bodies, string(body))
		}
		if kind != "multipart/alternative" || strings.Join(kinds, " ") != "text/plain text/html" || strings.TrimSpace(bodies[0]) != "Elle est là." || !strings.Contains(bodies[1], "Elle est là.") || !strings.Contains(bodies[1], `lang="fr"`) {
			t.Errorf("%s of %v: %q", kind, kinds, bodies)
		}
	}
}
