package core

import (
	"reflect"
	"strings"
	"unicode"
)

// MapRemarks returns a fact with f done to each remark in it: what a person wrote in words of
// their own, as the reason of an act, a note, or a question to whom the request is about.
// What a policy or a worker gives as a reason is none: it is a code, or names that were looked
// up (TestEveryFreeWordIsARemark).
func MapRemarks(e Event, f func(string) (string, error)) (Event, error) {
	if e.Who() == "" || e.Who() == ByPolicy {
		return e, nil
	}
	return mapTexts(e, []string{"Reason", "ToPerson"}, f)
}

// MapActor returns a fact with f done to what it calls who made it; of a policy's and a
// system's nothing is done.
func MapActor(e Event, f func(string) string) Event {
	if e.Who() == "" || e.Who() == ByPolicy {
		return e
	}
	mapped, _ := mapTexts(e, []string{"By"}, func(by string) (string, error) { return f(by), nil }) // never fails
	return mapped
}

// mapTexts returns a fact with f done to those of some texts that it has.
func mapTexts(e Event, names []string, f func(string) (string, error)) (Event, error) {
	was := reflect.ValueOf(e)
	if was.Kind() != reflect.Struct {
		return e, nil
	}
	is := reflect.New(was.Type()).Elem()
	is.Set(was)
	for _, name := range names {
		field := is.FieldByName(name)
		if !field.IsValid() || field.Type() != reflect.TypeFor[string]() || field.String() == "" {
			continue
		}
		text, err := f(field.String())
		if err != nil {
			return e, err
		}
		field.SetString(text)
	}
	mapped, _ := is.Interface().(Event) // it is of e's type
	return mapped, nil
}

// Plain returns a text without what isn't to be seen in it: control characters other than ends
// of lines, and characters that turn around or hide what stands beside them, by which a
// terminal, a page or a letter would show another text than was written.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return r
		case r == '\t' || r == '\u2028' || r == '\u2029':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\ufeff', r == '\u200b', r == '\u2060', unicode.Is(unicode.Cs, r), r >= 0xe0000 && r <= 0xe007f:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}
