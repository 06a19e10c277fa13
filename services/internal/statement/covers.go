package statement

import (
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// Why a right doesn't cover data.
const (
	derived            = "derived"
	receivedFromOthers = "received-from-others"
	otherLegalBasis    = "other-legal-basis"
)

// Uncovered returns why a right doesn't cover what has an origin and rests on a legal
// basis; empty where it does ([manifest.Nature.Portable]).
func Uncovered(right dsar.Right, origin, basis string) string {
	switch {
	case right != dsar.Portability || (manifest.Nature{Origin: manifest.Origin(origin), LegalBasis: basis}).Portable():
		return ""
	case origin == string(manifest.Derived):
		return derived
	case origin != string(manifest.Provided) && origin != string(manifest.Observed):
		return receivedFromOthers
	default:
		return otherLegalBasis
	}
}

// Uncovered returns why a right doesn't cover the dataset; empty where it covers one of
// its columns at least.
func (d *Dataset) Uncovered(right dsar.Right) string {
	why := Uncovered(right, d.Origin, d.LegalBasis)
	if !d.AllDiffer && why == "" {
		return ""
	}
	for _, c := range d.Columns {
		w := Uncovered(right, c.Origin, c.LegalBasis)
		if w == "" {
			return ""
		}
		if d.AllDiffer {
			why = w
		}
	}
	return why
}
