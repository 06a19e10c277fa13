// Package bundletest reads bundles as a person would, for tests.
package bundletest

import (
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// ReadAloud returns a page as a person reads it: the texts in order, a line for
// each block, and the targets of links.
func ReadAloud(t testing.TB, page string) string {
	t.Helper()
	return strings.ReplaceAll(AsPrinted(t, page), "\u00a0", " ")
}

// AsPrinted returns a page as [ReadAloud] does, with the spaces at which no line breaks.
func AsPrinted(t testing.TB, page string) string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		switch {
		case n.Type == html.TextNode:
			if text := strings.Join(strings.FieldsFunc(n.Data, func(r rune) bool { return r == ' ' || r == '\n' || r == '\t' }), " "); text != "" {
				if s := b.String(); s != "" && !strings.HasSuffix(s, "\n") {
					b.WriteByte(' ')
				}
				b.WriteString(text)
			}
			return
		case n.Type == html.ElementNode && (n.Data == "style" || n.Data == "head" || n.Data == "script" || hidden(n)):
			return
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
		switch n.Data {
		case "p", "h1", "h2", "h3", "h4", "li", "tr", "div", "dd", "a":
			if n.Data == "a" {
				for _, a := range n.Attr {
					if a.Key == "href" && !strings.HasPrefix(a.Val, "#") {
						b.WriteString(" <" + a.Val + ">")
					}
				}
				return
			}
			if s := b.String(); s != "" && !strings.HasSuffix(s, "\n") {
				b.WriteByte('\n')
			}
		}
	}
	walk(doc)
	return b.String()
}

// hidden reports whether an element is shown only once a script has run.
func hidden(n *html.Node) bool {
	for _, a := range n.Attr {
		if a.Key == "hidden" {
			return true
		}
	}
	return false
}

// FirstDifference returns the first line in which two texts differ.
func FirstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(g), len(w)) {
		if g[i] != w[i] {
			return "got  " + g[i] + "\nwant " + w[i]
		}
	}
	return "one is longer"
}
