package portal

import (
	"cmp"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strconv"
)

// defaultAccent is the colour of buttons and links where the company has set none.
const defaultAccent = "#1d4f91"

// accentForm is how a colour is written.
var accentForm = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

// CheckAccent returns an error for what isn't a colour.
func CheckAccent(accent string) error {
	if accent != "" && !accentForm.MatchString(accent) {
		return fmt.Errorf("%q is no colour, as #1d4f91", accent)
	}
	return nil
}

// rgb is a colour, each part from 0 to 1.
type rgb [3]float64

func readColour(text string) (c rgb) {
	for i := range c {
		n, _ := strconv.ParseUint(text[1+2*i:3+2*i], 16, 8) // its form was checked
		c[i] = float64(n) / 255
	}
	return c
}

func (c rgb) String() string {
	return fmt.Sprintf("#%02x%02x%02x", int(math.Round(c[0]*255)), int(math.Round(c[1]*255)), int(math.Round(c[2]*255)))
}

// light returns a colour's relative luminance (WCAG 2.2).
func (c rgb) light() float64 {
	var l [3]float64
	for i, v := range c {
		if l[i] = v / 12.92; v > 0.04045 {
			l[i] = math.Pow((v+0.055)/1.055, 2.4)
		}
	}
	return 0.2126*l[0] + 0.7152*l[1] + 0.0722*l[2]
}

// contrast returns how well two colours are told apart, from 1 to 21 (WCAG 2.2).
func contrast(a, b rgb) float64 {
	x, y := a.light(), b.light()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// readable returns a colour that is read on a ground: it is mixed with white or black until
// it is.
func readable(c, ground rgb) rgb {
	const enough = 4.5 // of text, level AA
	to := rgb{1, 1, 1}
	if ground.light() > 0.2 {
		to = rgb{}
	}
	out := c
	for step := range 21 {
		part := float64(step) / 20
		for i := range out {
			out[i] = c[i]*(1-part) + to[i]*part
		}
		if contrast(out, ground) >= enough {
			break
		}
	}
	return out
}

// The grounds of the pages, as portal.css has them.
var (
	lightGround = rgb{0.965, 0.969, 0.976}
	darkGround  = rgb{0.102, 0.129, 0.169}
)

// brandCSS serves the company's colour, made readable in light and dark.
func (p *Portal) brandCSS(w http.ResponseWriter, _ *http.Request) {
	accent := p.Brand.Accent
	if accent == "" {
		accent = defaultAccent
	}
	c := readColour(accent)
	on := func(ground rgb) (accent, text rgb) {
		accent = readable(c, ground)
		if contrast(accent, rgb{1, 1, 1}) >= contrast(accent, rgb{0.06, 0.09, 0.12}) {
			return accent, rgb{1, 1, 1}
		}
		return accent, rgb{0.06, 0.09, 0.12}
	}
	l, onL := on(lightGround)
	d, onD := on(darkGround)
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = fmt.Fprintf(w, ":root { --accent: %s; --on-accent: %s; }\n@media (prefers-color-scheme: dark) { :root { --accent: %s; --on-accent: %s; } }\n", l, onL, d, onD)
}

// logo serves the company's picture; as a page of its own it runs nothing.
func (p *Portal) logo(w http.ResponseWriter, r *http.Request) {
	if len(p.Brand.Logo) == 0 {
		p.fail(w, r, http.StatusNotFound, "error.none")
		return
	}
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
	w.Header().Set("Content-Type", p.Brand.LogoType)
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(p.Brand.Logo)
}

// called returns what the company is called in a language: its name, or in its own words
// where nobody has configured one.
func (p *Portal) called(lang string) string {
	return cmp.Or(p.Brand.Name, p.Languages.For(lang).Portal["brand"])
}
