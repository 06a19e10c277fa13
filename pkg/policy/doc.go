// Package policy is what the law and the privacy notice make of a request, as
// data: one file a jurisdiction in jurisdictions/, with the legal source beside
// every value, for a lawyer to review. A new jurisdiction is a new file; the
// code here only counts.
//
// So far a file says which rights it grants, when the answer is due, by how
// much that can be extended, who is responsible and where to complain.
package policy
