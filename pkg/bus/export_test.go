package bus

import "time"

// Stalled is Check with one limit for all.
func (s *Subscriber) Stalled(limit time.Duration) error { return s.stalled(limit, limit) }
