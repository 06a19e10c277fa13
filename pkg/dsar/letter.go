package dsar

import "slices"

func (c NoteLetter) decide(d *decider) error {
	if !d.Exists() {
		return ErrUnknown
	}
	known := slices.ContainsFunc(d.Letters, func(l LetterSent) bool { return l.Letter == c.Letter && l.Cause == c.Cause })
	if !known {
		d.record(c.LetterSent)
	}
	return nil
}
