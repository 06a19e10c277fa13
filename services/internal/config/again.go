package config

import (
	"errors"
	"fmt"
	"time"

	"habeas.dev/pkg/manifest"
)

// Never is the word for what isn't done by itself.
const Never = "never"

// Again says what is done about erasures after they were answered.
type Again struct {
	// Prove is after which period the systems are asked again whether anything has come
	// back: P30D, which is the default, or [Never].
	Prove string `yaml:"prove_again"`
	// CameBack is what becomes of what has: ask, which is the default, waits for a person;
	// erase has it erased again at once.
	CameBack string `yaml:"came_back"`
}

// maxAgain bounds the period: keys and plans are kept for as long.
const maxAgain = 10 * 366 * 24 * time.Hour

// After returns the period; 0: it isn't done by itself.
func (a Again) After() time.Duration {
	d, _ := a.after() // check has seen it
	return d
}

func (a Again) after() (time.Duration, error) {
	if a.Prove == Never {
		return 0, nil
	}
	p, err := manifest.ParsePeriod(a.Prove)
	if err != nil {
		return 0, err
	}
	from := time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC) // months have 31 days, years 365
	return p.Date(from).Sub(from), nil
}

// Erases reports whether what has come back is erased without asking a person.
func (a Again) Erases() bool { return a.CameBack == "erase" }

func (a Again) check() error {
	d, err := a.after()
	switch {
	case err != nil:
		return fmt.Errorf("prove_again: %w; write P30D, or never", err)
	case d < 0 || d > maxAgain:
		return fmt.Errorf("prove_again %s is longer than ten years; write P30D, or never", a.Prove)
	case a.CameBack != "ask" && a.CameBack != "erase":
		return errors.New("came_back is neither ask nor erase; left out, it is ask")
	}
	return nil
}
