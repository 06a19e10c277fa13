package main

import (
	"time"

	"habeas.dev/services/internal/operator"
)

// demoControllers returns the companies that the demo's privacy notice names: the group's, one
// for Europe, one for India, one for Japan, and how Korea is answered.
func demoControllers() []operator.Controller {
	return []operator.Controller{
		{Name: "Example Cloud, Inc.", Address: "410 Example Avenue North, Seattle, WA 98109, United States", Contact: "privacy@cloud.example"},
		{Laws: []string{"EEA", "UK", "Switzerland"}, Name: "Example Cloud EMEA SARL", Address: "38 avenue du Modèle, L-1855 Luxembourg", Contact: "privacy-emea@cloud.example",
			Officer: "dpo@cloud.example"},
		{Laws: []string{"India"}, Name: "Example Cloud India Private Limited", Address: "Block E, Example Towers, New Delhi 110 025, India", Contact: "privacy-india@cloud.example"},
		{Laws: []string{"Japan"}, Name: "Example Cloud Japan G.K.", Address: "1-8-1 Shimomeguro, Meguro-ku, Tokyo, Japan", Contact: "privacy-japan@cloud.example"},
		{Laws: []string{"South Korea"}, Name: "Example Cloud, Inc.", Address: "410 Example Avenue North, Seattle, WA 98109, United States", Contact: "privacy-korea@cloud.example, +82-2-0000-0000"},
	}
}

// demoDeclarations returns what the demo's operator says of itself, from the first of the month
// on, for a year.
func demoDeclarations(now time.Time) []operator.Declaration {
	on := time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC)
	var all []operator.Declaration
	for _, says := range []string{"no-automated-decisions", "no-sale", "safeguards", "processing-abroad", "processors", "joint-use", "security-measures"} {
		all = append(all, operator.Declaration{Says: says, By: "data protection officer", On: operator.DayOf(on), Until: operator.DayOf(on.AddDate(1, 0, 0))})
	}
	return all
}
