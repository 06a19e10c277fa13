package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// fourEyesKinds are the kinds of acts that a second person may have to agree to, as the core
// calls them (TestFourEyesAreTheCores).
var fourEyesKinds = []string{"refusals", "large-plans", "reveals"}

// checkFourEyes refuses kinds that there aren't, and a console in which everybody is the same
// person: nobody could ever agree there.
func (c Config) checkFourEyes() error {
	for _, kind := range c.FourEyes {
		if !slices.Contains(fourEyesKinds, kind) {
			return fmt.Errorf("four_eyes: %q is none of %s", kind, strings.Join(fourEyesKinds, ", "))
		}
	}
	if len(c.FourEyes) > 0 && c.Console.Local {
		return errors.New("four_eyes: with console.local nobody signs in, so that no second person can be told from the first: configure console.oidc")
	}
	return nil
}
