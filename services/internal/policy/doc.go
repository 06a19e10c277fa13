// Package policy is what the law and the privacy notice make of a request, as
// data: one file a jurisdiction in jurisdictions/, with the legal source beside
// every value, for a lawyer to review, and one file a calendar of public
// holidays in jurisdictions/calendars/. A new jurisdiction is a new file; the
// code here only counts.
//
// A file says which rights it grants; when receipt must be confirmed and the
// answer is due, how that is counted, what makes the clock stand and by how much
// it can be extended; on which grounds a request can be refused; what an answer
// must say and what it must never show; who is responsible, and where to
// complain. [Book] is a [core.Calendar].
package policy
