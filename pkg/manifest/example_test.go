package manifest_test

import (
	"fmt"
	"log"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

const library = `
system: library
title: {en: Library, fr: Bibliothèque}
abilities: [gather]
needs: [email]
datasets:
  - name: loans
    title: {en: Loans}
    category: commercial information
    origin: observed
    purpose: {en: To lend books}
    legal_basis: contract
    storage: {en: A year after the book is back}
    columns:
      - {name: book}
`

// A manifest is read and judged in one step.
func ExampleParse() {
	m, err := manifest.Parse("library.yaml", []byte(library))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(m.System, m.Title.In("fr"), m.Can(dsar.Gather), m.Can(dsar.Erase))
	// Output: library Bibliothèque true false
}

// What is wrong is one line: where, what, and what to do.
func ExampleParse_mistake() {
	_, err := manifest.Parse("library.yaml", []byte(strings.Replace(library, "observed", "borrowed", 1)))
	fmt.Println(err)
	// Output: library.yaml:10: unknown origin "borrowed"; allowed: provided, observed, received, derived
}

// A period says until when a record must stay.
func ExampleParsePeriod() {
	p, err := manifest.ParsePeriod("P10Y")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.After(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)).Format(time.DateOnly))
	// Output: 2036-03-02
}
