package article30

import "habeas.dev/pkg/manifest"

// words holds the texts of one language.
type words struct {
	language   string
	title      string
	lead       string
	bases      map[string]string
	origins    map[manifest.Origin]string
	categories map[string]string // nil: as manifests have them
	// How a dataset is erased; in goesWith, % is the other dataset.
	deleted, anonymised, goesWith, byHand string
	none                                  string
	columns                               []string // of the table, as [row] has them
}

// wordsIn returns the texts of a language, or the English ones where it has none.
func wordsIn(lang string) words {
	if lang == "fr" {
		return french()
	}
	return english()
}

func english() words {
	return words{
		language: "en", title: "Record of processing activities", lead: "GDPR art. 30(1). Made from the manifests of the systems.",
		bases: map[string]string{
			"consent": "consent, art. 6(1)(a)", "contract": "contract, art. 6(1)(b)", "legal-obligation": "legal obligation, art. 6(1)(c)",
			"vital-interest": "vital interest, art. 6(1)(d)", "public-task": "public task, art. 6(1)(e)", "legitimate-interest": "legitimate interest, art. 6(1)(f)",
		},
		origins: map[manifest.Origin]string{manifest.Provided: "from the person", manifest.Observed: "observed", manifest.Received: "from others", manifest.Derived: "derived"},
		deleted: "deleted", anonymised: "made anonymous", goesWith: "deleted together with %", byHand: "by hand", none: "none",
		columns: []string{
			"Controller", "System", "System's title", "Dataset", "Processing", "Purpose", "Legal basis", "People", "Category of data", "Fields", "Never shown",
			"Origin", "Recipients", "Transfers and safeguards", "Storage period", "Duties to keep", "Erasure", "Security",
		},
	}
}
