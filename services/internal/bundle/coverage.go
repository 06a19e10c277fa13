package bundle

import (
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// coverageCode says why a dataset is left out of an answer, for machines.
type coverageCode string

const (
	covered coverageCode = ""
	// Portability covers what the subject provided or what was observed of them,
	// processed on consent or contract (GDPR art. 20(1); WP 242 rev.01, p. 9 to 11).
	leftDerived  coverageCode = "derived"
	leftReceived coverageCode = "received-from-others"
	leftBasis    coverageCode = "other-legal-basis"
)

// coverage returns whether a right's answer holds a dataset's records and, where it
// doesn't, why.
func coverage(right dsar.Right, ds *manifest.Dataset) coverageCode {
	if right != dsar.Portability {
		return covered
	}
	switch {
	case ds.Origin == manifest.Derived:
		return leftDerived
	case ds.Origin != manifest.Provided && ds.Origin != manifest.Observed:
		return leftReceived
	case ds.LegalBasis != "consent" && ds.LegalBasis != "contract":
		return leftBasis
	default:
		return covered
	}
}
