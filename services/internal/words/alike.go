package words

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// alike returns what a language lacks, has too much, or says with other
// placeholders than English does.
func alike(english, l *Language) error {
	for _, part := range []struct {
		file       string
		want, have any
	}{
		{"language.yaml", english.format, l.format}, {"answer.yaml", english.Answer, l.Answer}, {"statements.yaml", english.Answer.Statements, l.Answer.Statements}, {"letters.yaml", english.Letters, l.Letters},
		{"journal.yaml", english.Journal, l.Journal}, {"mail.yaml", english.Mail, l.Mail}, {"record.yaml", english.Record, l.Record}, {"portal.yaml", english.Portal, l.Portal}, {"causes.yaml", english.Causes, l.Causes}, {"refusals.yaml", english.Refusals, l.Refusals},
	} {
		if err := same(reflect.ValueOf(part.want), reflect.ValueOf(part.have), ""); err != nil {
			return fmt.Errorf("%s: %w", part.file, err)
		}
	}
	for _, t := range english.Letters.Templates.Templates() {
		if l.Letters.Templates.Lookup(t.Name()) == nil {
			return fmt.Errorf("letters.tmpl: no %s", t.Name())
		}
	}
	for from, to := range l.Sentences {
		if !slices.Equal(placeholders(from), placeholders(to)) {
			return fmt.Errorf("sentences.yaml: other placeholders than %q", from)
		}
	}
	return nil
}

// same compares the words of two languages, of one place.
func same(want, have reflect.Value, place string) error {
	switch want.Kind() {
	case reflect.String:
		if want.String() != "" && have.String() == "" {
			return fmt.Errorf("%s is missing", place)
		}
		if !slices.Equal(placeholders(want.String()), placeholders(have.String())) {
			return fmt.Errorf("%s: other placeholders than %q", place, want.String())
		}
	case reflect.Struct:
		for i := range want.NumField() {
			field := want.Type().Field(i)
			name, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
			if name == "-" {
				continue
			}
			if err := same(want.Field(i), have.Field(i), strings.TrimPrefix(place+"."+name, ".")); err != nil {
				return err
			}
		}
	case reflect.Array:
		for i := range want.Len() {
			if err := same(want.Index(i), have.Index(i), fmt.Sprintf("%s[%d]", place, i)); err != nil {
				return err
			}
		}
	case reflect.Map:
		for _, key := range have.MapKeys() {
			if !want.MapIndex(key).IsValid() {
				return fmt.Errorf("%s.%s: English has none", place, key)
			}
		}
		for _, key := range want.MapKeys() {
			at := fmt.Sprintf("%s.%s", place, key)
			if !have.MapIndex(key).IsValid() {
				return fmt.Errorf("%s is missing", strings.TrimPrefix(at, "."))
			}
			if err := same(want.MapIndex(key), have.MapIndex(key), strings.TrimPrefix(at, ".")); err != nil {
				return err
			}
		}
	}
	return nil
}

// placeholder is a verb of a format; a language may have another order than
// English, by number: %[2]s.
var placeholder = regexp.MustCompile(`%(?:\[(\d)\])?([sd])`)

// named is a value in a sentence of a statement: {until}.
var named = regexp.MustCompile(`\{([a-z]+)\}`)

// placeholders returns a format's verbs in the order of their arguments.
func placeholders(format string) []string {
	found := placeholder.FindAllStringSubmatch(format, -1)
	verbs := make([]string, len(found))
	for i, one := range found {
		at := i
		if one[1] != "" {
			at = int(one[1][0]-'1') % max(1, len(found))
		}
		verbs[at] = one[2]
	}
	var values []string
	for _, one := range named.FindAllStringSubmatch(format, -1) {
		values = append(values, one[1])
	}
	slices.Sort(values)
	return append(verbs, values...)
}
