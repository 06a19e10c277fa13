// Package people is the sandbox's population: who is seeded, and which records
// each system holds of them. It is the same for the same seed, and it is what
// tests compare bundles with: it knows nothing of the workers.
package people

// Person is one seeded person.
type Person struct {
	Number     int // 1, 2, 3, …
	GivenName  string
	FamilyName string
	Email      string
	Phone      string // E.164
	AccountID  string // acc_…; empty for who has no account
	Employer   string // the organisation whose account they use; often empty
	Language   string // BCP 47
	Region     string // EEA, UK, California, Canada, Japan, South Korea, elsewhere
}

// Row is one record that a system holds.
type Row struct {
	System  string
	Dataset string
	Key     string         // the record's primary key in that system
	Person  int            // Person.Number
	Values  map[string]any // by column
}
