package words

import (
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// bound is a space at which no line ends.
const bound = "\u00a0"

// Bound returns a text in which the language's marks are bound to what they belong to: no line
// begins with a colon or a closing quotation mark, nor ends with an opening one. Whatever is
// loaded or written in the language goes through it, its parts alone or put together.
func (l *Language) Bound(text string) string {
	for _, mark := range l.format.Bound {
		text = strings.ReplaceAll(text, " "+mark, bound+mark)
	}
	for _, mark := range l.format.Opens {
		text = strings.ReplaceAll(text, mark+" ", mark+bound)
	}
	return text
}

// Unbound returns the first place of a text at which a line could break and mustn't, with what
// is around it; empty where there is none. It is what tests hold pages to.
func (l *Language) Unbound(text string) string {
	const around = 24
	for i := range text {
		at := text[i:]
		breaks := slices.ContainsFunc(l.format.Bound, func(mark string) bool { return strings.HasPrefix(at, " "+mark) }) ||
			slices.ContainsFunc(l.format.Opens, func(mark string) bool { return strings.HasPrefix(at, mark+" ") })
		if breaks {
			return strings.ToValidUTF8(text[max(0, i-around):min(len(text), i+around)], "")
		}
	}
	return ""
}

// bindAll binds each text of a value, whatever it is made of; the keys of maps stay.
func (l *Language) bindAll(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(l.Bound(v.String()))
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Field(i); v.Type().Field(i).Tag.Get("yaml") != "-" {
				l.bindAll(f)
			}
		}
	case reflect.Array, reflect.Slice:
		for i := range v.Len() {
			l.bindAll(v.Index(i))
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			one := reflect.New(v.Type().Elem()).Elem()
			one.Set(v.MapIndex(key))
			l.bindAll(one)
			v.SetMapIndex(key, one)
		}
	}
}

// spaced returns a text whose semicolons have a space before them where the language wants
// one: purposes are listed with them, whatever the language.
func (l *Language) spaced(s string) string {
	if !slices.Contains(l.format.Bound, ";") || !strings.Contains(s, "; ") {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(s, "; ", " ; "), "  ;", " ;"), bound+" ;", bound+";")
}

// printed returns a text in which a straight apostrophe between letters is the typographic one.
func printed(s string) string {
	if !strings.Contains(s, "'") {
		return s
	}
	text := []rune(s)
	for i := 1; i < len(text)-1; i++ {
		if text[i] == '\'' && unicode.IsLetter(text[i-1]) && unicode.IsLetter(text[i+1]) {
			text[i] = '’'
		}
	}
	return string(text)
}
