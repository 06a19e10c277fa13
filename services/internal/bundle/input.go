package bundle

import (
	"context"
	"io"
	"time"

	"golang.org/x/mod/sumdb/note"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/core"
)

// Input is everything that a bundle is made of. It holds personal data: it MUST NOT
// be logged.
type Input struct {
	// RequestID names the bundle's top folder. Letters, digits, hyphens and
	// underscores, at most 64.
	RequestID    string
	Right        dsar.Right
	Jurisdiction string
	// Locale is the subject's language (BCP 47). French for fr and fr-*, English
	// for everything else.
	Locale     string
	ReceivedAt time.Time
	// Identifiers are the identifiers by which the person was looked for, in the
	// clear.
	Identifiers []Identifier
	// Systems are all systems that the request had to reach, in the order of the
	// page.
	Systems []System
	Policy  Policy
	// Lift says that a restriction, an objection, a withdrawal or an opt-out was
	// undone.
	Lift bool
	// Unproven is what was to be proven and was not, where kinds of data are told in
	// place of what was asked for: in general then, and nothing of the person.
	Unproven []dsar.Check
	// Without are the types of the identifiers that the person was not looked for by,
	// since they were not proven to be the person's.
	Without []dsar.IdentifierType
	// Kept is what an earlier erasure of the person had to keep, where this request found
	// nothing of it.
	Kept []core.KeptEarlier
	// Locked says that all that had to stay is flagged, so that nothing else is done with
	// it; with an erasure.
	Locked bool
	// Purposes are those that the person named; with the same rights.
	Purposes []string
	// Letter opens the page where one is to be sent with the answer.
	Letter *Letter
	// Run is when and by what this bundle was packed. It is in bag-info.txt and
	// nowhere else.
	Run Run
}

// Identifier is one identifier of the subject, and how it became known.
type Identifier struct {
	Type     dsar.IdentifierType
	Value    string
	Verified bool
	// FoundBy is the system that found it; empty where the request gave it.
	FoundBy string
	// FromType and FromValue are the identifier that it was found by.
	FromType  dsar.IdentifierType
	FromValue string
}

// System is one system's part of the answer.
type System struct {
	Manifest *manifest.Manifest
	// Needs are the identifier types that it can be asked by; empty means
	// those of the manifest.
	Needs []dsar.IdentifierType
	// Ends are how the system ended its actions, in order.
	Ends []core.ActionEnd
	// Sources are its record streams (pkg/record). A dataset MUST be in one of
	// them only, and every dataset and column MUST be declared in the manifest.
	Sources []Source
}

// Source opens a system's record stream. It is opened once, and a second time
// where the records of a dataset don't fit into memory; both times it MUST
// give the same stream.
type Source func(ctx context.Context) (io.ReadCloser, error)

// Run says when and by what a bundle was packed, and who signs it.
type Run struct {
	At       time.Time
	Software string // e.g. "habeas 1.2.0"
	// Signer signs the bundle; nil: nobody does.
	Signer note.Signer
}

// Policy is what the law of the person's place makes of the answer: plain
// texts, in the language of the answer. Every empty field leaves its sentence
// or section out, or takes a general one.
type Policy struct {
	// Law is the law's name, as told to the person: "General Data Protection
	// Regulation (GDPR)".
	Law string
	// Entity is who is responsible for the data in the person's region.
	Entity string
	// Contact is how to reach them about this answer.
	Contact string
	// Grants are the rights that the law gives; the answer says what each other
	// one means.
	Grants []dsar.Right
	// Rights are further things that the person can ask for: "to …", "de …".
	Rights []string
	// Complaint says to whom the person can complain, one authority each.
	Complaint []Authority
	// Automated says whether decisions are made by machine alone, and on which
	// logic (GDPR art. 15(1)(h)).
	Automated string
	// Transfers says to where data goes, and under which safeguards (art. 15(2)).
	Transfers string
	// Statements are further sentences that the law asks for, e.g. that nothing
	// was sold (California).
	Statements []string
	// Categories asks for the table of categories, sources, purposes and
	// recipients (Civ. Code 1798.110). It is always there for know-categories.
	Categories bool
}

// Authority is where a person can complain.
type Authority struct {
	Name    string
	Address string
	URL     string // https://…; anything else is shown as text, not as a link
}

// Letter is what the answer says before it lists: paragraphs of plain text.
type Letter struct {
	Title      string
	Paragraphs []string
}

// Summary describes the bundle that was written. It holds no personal data.
type Summary struct {
	// Bytes is the length of the ZIP and SHA256 its hash, in hex.
	Bytes  int64
	SHA256 string
	// Records is the number of records in the bundle, over all datasets.
	Records int64
	// LeftOut is the number of gathered records that the right doesn't cover
	// (portability).
	LeftOut int64
	// PayloadFiles and PayloadBytes are the bag's Payload-Oxum.
	PayloadFiles int64
	PayloadBytes int64
}
