package manifest

import (
	"strings"

	"habeas.dev/pkg/dsar"
)

// Person holds the identifiers of one person, to tell their own records from other
// people's.
type Person map[string]struct{}

// Add adds an identifier. An email address is compared without regard to case.
func (p Person) Add(t dsar.IdentifierType, value string) { p[identity(t, value)] = struct{}{} }

func identity(t dsar.IdentifierType, value string) string {
	value = strings.TrimSpace(value)
	if t == "email" {
		value = strings.ToLower(value)
	}
	return string(t) + "\x00" + value
}

// Concern reports whether a record holds other people's data by this rule. value gives a
// column's content as a text (true and false for a boolean); "" where it has none.
func (o *Others) Concern(p Person, value func(column string) string) bool {
	for column, want := range o.When {
		if value(column) != want {
			return false
		}
	}
	for t, column := range o.Unless {
		if v := value(column); v != "" {
			if _, own := p[identity(t, v)]; own {
				return false
			}
		}
	}
	return true
}

// NeedsPerson reports whether a person must look at the records that the rule applies to.
func (o *Others) NeedsPerson() bool { return o.Then == OthersPerson }
