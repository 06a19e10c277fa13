package worker

import "time"

const (
	// MaxTries is how often a call that fails transiently is made in place
	// before its task is parked. A third try mends most cut connections;
	// beyond that the system is down, and waiting here would hold up others.
	MaxTries = 3
	// RetryWithin bounds the time that tries in place may take together. What
	// took longer is parked at once.
	RetryWithin = 2 * time.Second
	// firstPause is the wait before the second try; the third waits four times
	// as long.
	firstPause = 100 * time.Millisecond

	// FirstPark is how long a task that failed transiently waits at first.
	// Each further attempt doubles it, up to MaxPark.
	FirstPark = 30 * time.Second
	// MaxPark bounds that wait: an hour after a system is back, it is asked.
	MaxPark = time.Hour
	// parkJitter is the share of the wait by which tasks are spread, so that
	// those that failed together don't come back together.
	parkJitter = 0.2
	// MaxAttempts is the attempt with which a transient failure becomes a
	// failure for a person to look at. An attempt that nothing was heard of
	// doesn't count, and a person's retry counts from one again. With the waits
	// above that is after about four hours of a system that is down.
	MaxAttempts = 10

	// DefaultTimeout bounds one call of the implementation. It is the longest
	// lease: whoever takes longer hangs, and would keep a place for ever.
	DefaultTimeout = time.Hour
	// DefaultConcurrency is how many subjects [Each] works on at once.
	DefaultConcurrency = 8
	// DefaultBatches is how many calls for many subjects run at once: while one
	// is out, the next fills up.
	DefaultBatches = 2

	// MaxFound is how many identifiers one resolve may find. A person has a
	// few; hundreds mean that something shared was taken for the person's own.
	MaxFound = 100
	// MaxIdentifier is the longest identifier, in bytes: as long as a CloudEvent
	// attribute or an e-mail address with room to spare.
	MaxIdentifier = 1024
	// MaxGrounds is how many grounds of retention one dataset may name.
	MaxGrounds = 32
	// MaxNotes is how many notes of an implementation go into a report.
	MaxNotes = 20
	// MaxReason is the longest reason, in bytes: one sentence.
	MaxReason = 300
	// MaxDetail is how much of an underlying error's text is kept, sealed, in
	// bytes: enough for a vendor's answer, and not for a page of HTML.
	MaxDetail = 4 << 10
	// maxCode is the longest code or ground in a report, in bytes, and maxName
	// the longest name of a dataset or column (schemas/).
	maxCode = 64
	maxName = 100
)
