// Package manifest reads what a system says of itself: what it can do, which
// identifiers it needs and finds, and which datasets it holds.
package manifest

import (
	"time"

	"habeas.dev/pkg/dsar"
)

// Text is a text by language (BCP 47: en, fr). English is always there.
type Text map[string]string

// In returns the text in a language, or in English where it lacks that one.
func (t Text) In(lang string) string {
	if s := t[lang]; s != "" {
		return s
	}
	return t["en"]
}

// Origin says where a dataset's content comes from (GDPR art. 15(1)(g)).
// Portability covers what was provided or observed only (art. 20).
type Origin string

// The origins.
const (
	Provided Origin = "provided"
	Observed Origin = "observed"
	Received Origin = "received"
	Derived  Origin = "derived"
)

// Manifest is one system's declaration.
type Manifest struct {
	System     string                `yaml:"system"`
	Title      Text                  `yaml:"title"`
	Abilities  []dsar.Action         `yaml:"abilities"`
	Needs      []dsar.IdentifierType `yaml:"needs"`
	Finds      []dsar.IdentifierType `yaml:"finds,omitempty"`
	EraseAfter []string              `yaml:"erase_after,omitempty"`
	MaxRecords int64                 `yaml:"max_records,omitempty"`
	Lease      time.Duration         `yaml:"lease,omitempty"`
	Datasets   []Dataset             `yaml:"datasets"`
	// SQL is set where the system is served by pkg/sqlsystem.
	SQL *SQL `yaml:"sql,omitempty"`
}

// Dataset is one kind of record that a system holds of a person.
type Dataset struct {
	Name       string      `yaml:"name"`
	Title      Text        `yaml:"title"`
	Category   string      `yaml:"category"` // one of [Categories]
	Origin     Origin      `yaml:"origin"`
	Purpose    Text        `yaml:"purpose"`
	LegalBasis string      `yaml:"legal_basis"` // consent, contract, legal-obligation, legitimate-interest, vital-interest, public-task
	Recipients []string    `yaml:"recipients,omitempty"`
	Storage    Text        `yaml:"storage"` // storage period or its criteria, as told to the person
	Columns    []Column    `yaml:"columns"`
	Retention  []Retention `yaml:"retention,omitempty"`
	// SQL says how pkg/sqlsystem reads and erases it.
	SQL *DatasetSQL `yaml:"sql,omitempty"`
}

// Column is one field of a dataset's records. The order of the columns is the
// order in every bundle.
type Column struct {
	Name  string `yaml:"name"`
	Title Text   `yaml:"title,omitempty"`
	Type  string `yaml:"type,omitempty"` // string (default), integer, number, boolean, date, datetime, object
	// NeverShown marks what 11 CCR 7024(d) forbids to disclose in an answer:
	// government-id, financial-account, health-id, password, security-question, biometric.
	NeverShown string `yaml:"never_shown,omitempty"`
}

// Retention is a duty or claim under which records must stay for a while.
type Retention struct {
	Ground string `yaml:"ground"` // tax-records, accounting, legal-claims
	Source string `yaml:"source"` // the law's article
	Title  Text   `yaml:"title"`
	Column string `yaml:"column"` // the date from which the period runs
	Period string `yaml:"period"` // ISO 8601 duration in years, months or days: P10Y
}
