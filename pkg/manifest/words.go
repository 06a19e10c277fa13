package manifest

import "habeas.dev/pkg/dsar"

// abilities lists what a system can be able to do.
func abilities() []dsar.Action {
	return []dsar.Action{dsar.Resolve, dsar.Gather, dsar.Erase, dsar.Rectify, dsar.Restrict}
}

// Categories lists the categories of personal data: those of the privacy
// notice's California section, which follow Cal. Civ. Code 1798.140(v).
func Categories() []string {
	return []string{
		"identifiers",
		"customer records", // Cal. Civ. Code 1798.80(e), e.g. a card number
		"protected characteristics",
		"commercial information",
		"internet or network activity",
		"biometric",
		"geolocation",
		"audio, electronic, visual",
		"professional or employment",
		"inferences",
		"education",
	}
}

// origins lists where data can come from.
func origins() []Origin { return []Origin{Provided, Observed, Received, Derived} }

// legalBases lists the grounds of GDPR art. 6(1), in its order.
func legalBases() []string {
	return []string{"consent", "contract", "legal-obligation", "vital-interest", "public-task", "legitimate-interest"}
}

// ColumnTypes lists the types of columns. A date is ISO 8601 (2020-01-31), a
// datetime RFC 3339, an object anything that JSON can say.
func ColumnTypes() []string {
	return []string{"string", "integer", "number", "boolean", "date", "datetime", "object"}
}

// What [Others.Then] can say.
const (
	OthersRedact = "redact"
	OthersPerson = "person"
)

// othersChoices lists what can be done about what is about other people.
func othersChoices() []string { return []string{OthersRedact, OthersPerson} }

// What [Retention.Undated] can say.
const (
	UndatedStay = "stay"
	UndatedGo   = "go"
)

// undatedChoices lists what can be said of a record without the date from which
// its retention runs.
func undatedChoices() []string { return []string{UndatedStay, UndatedGo} }
