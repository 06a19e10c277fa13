package callbacks

import "time"

// AtOnce is how many calls are made to one caller at once.
const AtOnce = atOnce

// Hurry sets how long a call and the wait for a turn may last.
func (c *Callbacks) Hurry(callTime, patience time.Duration) {
	c.callTime, c.patience = callTime, patience
}
