package words

import (
	"strings"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// Country returns what a country (ISO 3166-1) is called in the language; its code where
// nobody knows.
func (l *Language) Country(code string) string {
	region, err := language.ParseRegion(code)
	if err != nil {
		return code
	}
	names := display.Regions(language.Make(l.Tag))
	if names == nil {
		return code
	}
	if name := names.Name(region); name != "" {
		return name
	}
	return code
}

// LanguageName returns what a language (BCP 47) is called in the language; its tag where
// nobody knows.
func (l *Language) LanguageName(tag string) string {
	parsed, err := language.Parse(tag)
	if err != nil {
		return tag
	}
	names := display.Languages(language.Make(l.Tag))
	if names == nil {
		return tag
	}
	if name := names.Name(parsed); name != "" {
		return name
	}
	return tag
}

// Recipient returns who receives data as people read it: the name, for what, and where.
func (l *Language) Recipient(name, does, country string) string {
	var about []string
	if does != "" {
		about = append(about, does)
	}
	if country != "" {
		about = append(about, l.Country(country))
	}
	if len(about) == 0 {
		return name
	}
	return name + " (" + strings.Join(about, ", ") + ")"
}
