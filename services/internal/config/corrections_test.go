package config

import (
	"strings"
	"testing"

	"habeas.dev/services/internal/core"
)

// TestReviewsAreTheCores: what the core knows can be configured, and nothing else.
func TestReviewsAreTheCores(t *testing.T) {
	t.Parallel()
	var all []string
	for _, r := range core.CorrectionReviews() {
		all = append(all, string(r))
		if c, err := Load(file(t, "corrections: {review: "+string(r)+"}\n")); err != nil || c.Corrections.Review != string(r) {
			t.Errorf("%s: %+v, %v", r, c.Corrections, err)
		}
	}
	for _, wrong := range []string{"sometimes", "Always"} {
		if _, err := Load(file(t, "corrections: {review: "+wrong+"}\n")); err == nil || !strings.Contains(err.Error(), "none of "+strings.Join(all, ", ")) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}
