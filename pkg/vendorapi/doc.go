// Package vendorapi is the one way in which a worker calls a vendor's HTTP
// interface. A [Client] brings what every vendor needs: one access token shared
// by all callers, a rate limit and a limit of calls at once, a breaker for a
// vendor that is down, tries again by backoff with jitter on what may pass,
// Retry-After, timeouts, and a limit on the size of an answer.
//
// What a vendor means by its answers is the worker's to say: its [Judge] reads
// each answer and returns nil, one of this package's verdicts ([Again],
// [Unsure], [Stale]), or an error of package worker that ends the call.
//
// # Guarantees
//
//   - A call that isn't Safe MUST NOT be sent a second time unless the vendor
//     said that it did nothing: what is left is an error that [IsUnsure] finds,
//     and the worker asks the vendor what became of it (TestUnsafeIsSentOnce).
//   - An access token that was refused is renewed once, by one caller for all;
//     the call is made again once (TestOneRefresh).
//   - No error's vouched text holds a URL, a header or a body. The vendor's own
//     words are in the wrapped error, which travels sealed.
package vendorapi
