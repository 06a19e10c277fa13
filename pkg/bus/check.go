package bus

import (
	"fmt"
	"time"

	"habeas.dev/pkg/telemetry"
)

// What is wrong with files that were rotated.
var (
	errNoPassword = telemetry.Constant("the file of the password is empty")
	errExpired    = telemetry.Constant("the client's certificate has expired")
	errNotYet     = telemetry.Constant("the client's certificate isn't valid yet")
)

// Check reads the files that connections are made by, as the next connection does, and
// returns what is wrong with them at a time: one that can't be read, a certificate that
// doesn't fit its key or isn't valid. Open connections go on by what was read before, and
// so do new ones where the files can't be read.
func (f Files) Check(now time.Time) error {
	if f.SASL.PasswordFile != "" {
		password, err := readPassword(f.SASL.PasswordFile)
		switch {
		case err != nil:
			return err
		case password == "":
			return fmt.Errorf("bus: SASL: %w", errNoPassword)
		}
	}
	c, err := f.TLS.config()
	if err != nil || c == nil {
		return err
	}
	for _, pair := range c.Certificates {
		switch leaf := pair.Leaf; {
		case now.After(leaf.NotAfter):
			return fmt.Errorf("bus: TLS: %w", errExpired)
		case now.Before(leaf.NotBefore):
			return fmt.Errorf("bus: TLS: %w", errNotYet)
		}
	}
	return nil
}
