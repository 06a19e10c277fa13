package intake

import "time"

const (
	// MaxBody is the longest body that is read over HTTP, in bytes: what fits a
	// Kafka record as well, so that both doors take the same.
	MaxBody = 1 << 20
	// MaxDetails is the longest details of a request as JSON, in bytes. They
	// travel sealed in base64 with each task, which must stay below Kafka's
	// 1 MiB together with 50 identifiers of 1,024 characters.
	MaxDetails = 256 << 10
	// MaxInFlight is how many submissions over HTTP are worked on at once. Each
	// holds at most a body and waits for one commit; more of them would only
	// wait longer.
	MaxInFlight = 256
	// MaxReading is how much of bodies that aren't complete yet is held in memory, in
	// bytes: what has come of them, whatever they announce.
	MaxReading = 64 << 20
	// DefaultPerPerson is how many requests of one person are taken in within a day,
	// from all callers together: each right twice, and some.
	DefaultPerPerson = 20
	// MaxFuture is how far the clock of an upstream may be ahead of ours.
	MaxFuture = 24 * time.Hour

	// readTimeout is how long a body may take to arrive.
	readTimeout = 10 * time.Second
	// submitTimeout is how long taking in may take: journal and vault answer
	// in milliseconds or not at all.
	submitTimeout = 10 * time.Second
	// headerTimeout, idleTimeout, maxHeaders bound what a connection may hold.
	headerTimeout = 5 * time.Second
	idleTimeout   = 60 * time.Second
	maxHeaders    = 16 << 10

	// Answers that ask to come again say after how many seconds: a burst is
	// over in one, an outage takes longer.
	retryBusy        = "1"
	retryRate        = "10"
	retryPerson      = "86400"
	retryUnavailable = "5"

	// maxRejectedValue, maxRejectedHeaders and maxRejectedKey bound what of a
	// rejected record is kept, in bytes: sealed and twice in base64 it must fit
	// a record of Kafka's 1 MiB.
	maxRejectedValue   = 480 << 10
	maxRejectedHeaders = 16 << 10
	maxRejectedKey     = 4 << 10
	// maxReason is the schema's limit, in characters.
	maxReason = 500
)
