package bench

import "time"

// now returns the time as the journal keeps it.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
