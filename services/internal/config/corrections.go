package config

import (
	"fmt"
	"slices"
	"strings"
)

// Corrections is what is done about requests for correction.
type Corrections struct {
	// Review says when they wait for a person: doubt, where one is in doubt, which is the
	// default; always, before anything is corrected, too; or never: then a value that a system
	// writes in its own way stands without a person. Where it is in doubt whose something is,
	// a correction waits in any case. Requests that are taken in from then on keep to it.
	Review string `yaml:"review,omitempty"`
}

// reviews are when corrections may wait for a person, as the core calls it
// (TestReviewsAreTheCores).
var reviews = []string{"doubt", "always", "never"}

func (c Corrections) check() error {
	if c.Review != "" && !slices.Contains(reviews, c.Review) {
		return fmt.Errorf("corrections.review: %q is none of %s", c.Review, strings.Join(reviews, ", "))
	}
	return nil
}
