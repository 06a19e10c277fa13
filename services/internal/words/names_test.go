package words

import "testing"

// TestCited: a bracket that an article has of its own is closed by no other.
func TestCited(t *testing.T) {
	t.Parallel()
	for article, want := range map[string]string{
		"GDPR art. 12(5)(b)":              "(GDPR art. 12(5)(b))",
		"RGPD, art. 12, par. 5, point b)": "[RGPD, art. 12, par. 5, point b)]",
		"APPI, art. 33, par. 2, point i)": "[APPI, art. 33, par. 2, point i)]",
		"LPRPDE, al. 9(3)a)":              "[LPRPDE, al. 9(3)a)]",
		"LPD, art. 32, al. 1":             "(LPD, art. 32, al. 1)",
	} {
		if got := Cited(article); got != want {
			t.Errorf("%s: %s", article, got)
		}
	}
}
