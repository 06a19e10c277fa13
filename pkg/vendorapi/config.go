package vendorapi

import (
	"cmp"
	"context"
	"io"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"
	"golang.org/x/time/rate"

	"habeas.dev/pkg/worker"
)

// What holds where a [Config] says nothing.
const (
	// DefaultConcurrent is how many calls may be out at once. Vendors advise few
	// (Adobe: five), and batches leave little to gain.
	DefaultConcurrent = 5
	// DefaultTimeout bounds one call. Salesforce ends its own after 120 s.
	DefaultTimeout = 2 * time.Minute
	// DefaultMaxAnswer bounds an answer, in bytes: five pages of 2,000 records
	// of 5 KB are 50 MB.
	DefaultMaxAnswer = 64 << 20
	// DefaultTries is how often a call is made in place. With a fifth of all
	// calls failing, one in six hundred fails four times.
	DefaultTries = 4
	// MaxWait is the longest wait inside of a call, for the vendor's Retry-After
	// as for our own rate limit: above it the task is parked, so that nothing
	// waits in here.
	MaxWait = 15 * time.Second
)

const (
	firstPause = 200 * time.Millisecond
	maxPause   = 3 * time.Second
	// The circuit opens after this many failures in a row, of all processes, and
	// one call at a time tries it after this long.
	breakAfter = 12
	breakFor   = 30 * time.Second
	// A call that hangs counts as so many: each takes all of its time, and holds up others.
	hungCounts = 4
	// placeLease is how long a place is kept, unless the call's timeout and leaseMargin end
	// before; a call that lasts longer renews it. A process that dies in a call gives its
	// place back when the lease ends.
	placeLease  = 30 * time.Second
	leaseMargin = 5 * time.Second
	// storeTimeout bounds one use of the store.
	storeTimeout = 10 * time.Second
	// usageStale is when the vendor's own count of the quota no longer holds us
	// back: it is asked again.
	usageStale = 10 * time.Minute
	// tokenMargin is how long before its end a token is no longer used.
	tokenMargin = 30 * time.Second
)

// Config describes a vendor to a [Client]. Vendor and Parse are needed.
type Config struct {
	// Vendor is its name as a support agent reads it: Salesforce.
	Vendor string
	// Parse reads an answer in the vendor's own form. Of the reply, it fills in Own,
	// Code and Message.
	Parse func(*Answer) Reply
	// Codes are the vendor's own codes and what they mean.
	Codes Codes
	// UnknownHint is what a support agent may do about a code that isn't among them;
	// empty where there is nothing to say.
	UnknownHint string
	// Token gets an access token; nil where calls need none.
	Token func(ctx context.Context) (Token, error)
	Access
	// Account names the account whose limits are shared, as marketo/HOST; Vendor
	// where empty. It MUST NOT hold personal data or a secret.
	Account string
	// Quota says when a day's count ends, and what others have used of it.
	Quota Quota
	// RequestID finds the vendor's own id of a call in its answer, for traces;
	// nil: headers of the usual names are read.
	RequestID func(*Answer) string
	Timeout   time.Duration
	MaxAnswer int64
	Tries     int
	// Silence is how long a call with [Call.Stream] may go without a byte either way; 0:
	// as long as Timeout.
	Silence time.Duration
}

// Access is how a vendor may be called, and by what: the part of a [Config] that
// the one who runs a worker decides. A worker's own configuration embeds it.
type Access struct {
	// Rate is how many calls a second are made at most, with bursts of Burst, by
	// all processes together that share the store of Host; 0: as the worker
	// advises, else without limit, as with [rate.Inf]. Calls for a token don't count.
	Rate  rate.Limit
	Burst int
	// Concurrent is how many calls may be out at once; [DefaultConcurrent] where 0.
	Concurrent int
	// Daily is how many calls a day this account may make through us, over all
	// processes; 0: as the worker advises, else without limit. What is above it is
	// parked until it is renewed: vendors count the calls of all of a company's
	// integrations together, and a deletion of many must not silence the others.
	Daily int64
	// Host is what the worker's process gives.
	Host Host
	// HTTPClient makes the calls. Its redirects are never followed: a token
	// would go along. A client of this package's own where nil.
	HTTPClient *http.Client
	// Now is the clock, and Pause the wait between tries, for simulations and
	// tests. Pause MUST return the context's error where that is over first.
	Now   func() time.Time
	Pause func(context.Context, time.Duration) error
}

// Or returns the access with a worker's advice, and the clock of this machine,
// where it says nothing.
func (a Access) Or(advised Access) Access {
	a.Rate, a.Burst = cmp.Or(a.Rate, advised.Rate), cmp.Or(a.Burst, advised.Burst)
	a.Concurrent, a.Daily = cmp.Or(a.Concurrent, advised.Concurrent), cmp.Or(a.Daily, advised.Daily)
	if a.Now == nil {
		a.Now = time.Now
	}
	if a.Pause == nil {
		a.Pause = worker.Sleep
	}
	return a
}

// Host is what a process gives to the vendors' workers in it. The zero value is
// one process alone, which measures nothing.
type Host struct {
	// Store is where the accounts' state is kept. Rate, Concurrent and Quota of a
	// [Config] hold for all processes together whose clients have the same store
	// and account; nil: for this client alone.
	Store Store
	// Meters and Traces are where calls are measured and traced; nil: nowhere.
	Meters metric.MeterProvider
	Traces trace.TracerProvider
}

// Quota is what is known of a vendor's calls of a day beside the part that is ours
// ([Access], Daily).
type Quota struct {
	// Renewal tells when the day that runs at a time ends; nil: at midnight, UTC.
	Renewal func(now time.Time) time.Time
	// Usage reads the vendor's own count of everybody's calls from an answer, and
	// Share is the part of the limit at which we stop: 0.9 leaves others a tenth.
	Usage func(*Answer) (used, limit int64, ok bool)
	Share float64
}

// Token is an access token and when it ends; the zero time where the vendor
// doesn't say.
type Token struct {
	Value string
	Until time.Time
	// Base is the address at which calls with this token are to be made; empty
	// where it is always the same.
	Base string
}

// Call is one call.
type Call struct {
	// Name is what metrics and traces call it: a constant, such as leads.delete.
	Name   string
	Method string
	// Path is the address: absolute, or below the token's Base. It MUST NOT
	// hold personal data: proxies and vendors log it.
	Path   string
	Header http.Header
	// Body is sent as it is; Make makes it from the access token instead.
	Body []byte
	Make func(token string) []byte
	// Write writes a body that is too long to be held, of Length bytes, instead. It may be
	// called again, and MUST write the same.
	Write  func(io.Writer) error
	Length int64
	// Safe tells that the call may be made again whatever became of it.
	Safe bool
	// Expect is what the answer must account for, and how it is read. It is needed, except
	// with Stream.
	Expect *Expect
	// Stream reads an answer that is too long to be held, as it comes, where it is well by
	// what Parse says of its status and header; such an Answer's Body is empty. It MUST hold
	// the answer against what was asked, and return an error such as [Unsure] where it
	// falls short. What it has read can't be taken back: only a call that was not begun to
	// be answered is made again.
	Stream func(*Answer, io.Reader) error
}

// Answer is what came back. Body is whole, or empty where [Call.Stream] reads it.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}
