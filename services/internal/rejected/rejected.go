// Package rejected names the keys of records that were refused at the topic of requests.
// They lie in the vault as a request's do, one set for each day, and are no request's: they
// end when their day's records have left the topic of the rejected.
package rejected

import (
	"strings"
	"time"
)

// Days is how long a day's keys are kept: the records live for 30 days on dsar.rejected
// (asyncapi.yaml), and the day itself.
const Days = 31

const prefix = "rejected-"

// KeySet returns the name of a day's keys.
func KeySet(at time.Time) string { return prefix + at.UTC().Format(time.DateOnly) }

// Day returns the day whose keys have a name; ok is false where it is none of theirs.
func Day(keySet string) (day time.Time, ok bool) {
	rest, ok := strings.CutPrefix(keySet, prefix)
	if !ok {
		return day, false
	}
	day, err := time.Parse(time.DateOnly, rest)
	return day, err == nil
}

// LastOver returns the newest day whose time is over.
func LastOver(now time.Time) time.Time {
	return now.UTC().Truncate(24*time.Hour).AddDate(0, 0, -Days-1)
}
