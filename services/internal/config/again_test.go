package config

import (
	"strings"
	"testing"
	"time"
)

// TestAgain: the period after which an erasure is proven again, and what becomes of what
// has come back; never must be written out.
func TestAgain(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]struct {
		after  time.Duration
		erases bool
		wrong  string
	}{
		"":                                    {30 * 24 * time.Hour, false, ""},
		"prove_again: P90D\ncame_back: erase": {90 * 24 * time.Hour, true, ""},
		"prove_again: P1M":                    {31 * 24 * time.Hour, false, ""},
		"prove_again: never":                  {0, false, ""},
		"prove_again: 30d":                    {0, false, "prove_again"},
		"prove_again: P11Y":                   {0, false, "ten years"},
		"came_back: keep":                     {0, false, "came_back"},
	} {
		c, err := Load(file(t, text+"\n"))
		switch {
		case want.wrong != "":
			if err == nil || !strings.Contains(err.Error(), want.wrong) {
				t.Errorf("%q: %v", text, err)
			}
		case err != nil || c.After() != want.after || c.Erases() != want.erases:
			t.Errorf("%q: %v, after %v, erases %t", text, err, c.After(), c.Erases())
		}
	}
}
