// Package vendorapi is the one way in which a worker calls a vendor's HTTP
// interface. A [Client] brings what every vendor needs: one access token shared
// by all callers, limits of the rate, of the calls at once and of the calls of a
// day, a breaker for a vendor that is down, tries again by backoff with jitter on
// what may pass, Retry-After, timeouts, and a limit on the size of an answer.
//
// What a vendor means by its answers is the worker's to say: Parse reads one in the
// vendor's own form, and [Codes] is a table of the vendor's codes with what each
// means. What each call's answer must account for is its [Expect].
//
// # Limits
//
// A vendor counts the calls of an account, not of a process. So the account's
// state is in a [Store] that all processes share: each call takes a place in it
// and gives it back. What one process is told (come again in an hour, the quota
// is spent, nothing answers) the others keep to. A process that dies gives its
// places back when their lease ends, which is within half a minute: a call that
// lasts longer renews it. Without its store nothing is called: limits that don't hold would cost
// the company's other integrations their share.
//
// How things stand is read from the same store, from any process, by name of the
// account and without the workers' configuration:
//
//	store, err := ledger.Open(ctx, url) // config.Config.Limits
//	accounts, err := vendorapi.Accounts(ctx, store)
//	for _, a := range accounts {
//		left, limited := a.Remaining() // of the day's budget
//		// a.Circuit, a.Until and a.Reason: is it called, and why not
//	}
//
// The same is measured as habeas.vendor.quota.left, .quota.budget, .circuit and
// .in_flight, by vendor and account, beside habeas.vendor.calls,
// .call.duration and .wait.duration.
//
// # Guarantees
//
//   - The limits of an account MUST hold over all clients of one store, and a
//     client that died MUST NOT hold its places for ever (ledgertest,
//     TestAccountHolds, TestProcesses, TestKilled).
//   - A call that isn't Safe MUST NOT be sent a second time unless the vendor
//     said that it did nothing: what is left is an error that [IsUnsure] finds,
//     and the worker asks the vendor what became of it (TestUnsafeIsSentOnce).
//   - An error is final only by a code of the table, in the vendor's own form, and
//     not with HTTP 5xx (TestNeverFinal).
//   - An answer MUST account for everything that was asked, and a list for its end,
//     or it is unsure; a call that doesn't say what that is isn't made (TestParts,
//     TestPages, TestUnaccounted).
//   - An access token that was refused is renewed once, by one caller for all;
//     the call is made again once (TestOneRefresh).
//   - No error's vouched text holds a URL, a header or a body. The vendor's own
//     words are in the wrapped error, which travels sealed. Spans and metrics
//     hold a call's name, never its address (TestErrorsShowNothing,
//     TestTelemetryShowsNothing).
//   - A [Secret] is read anew at each use, and shows nothing when it is printed.
//
// Stability: stable: a name that changes stands in the CHANGELOG.
package vendorapi
