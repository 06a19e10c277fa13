package bundle

import (
	"context"
	"io"
	"time"

	"golang.org/x/mod/sumdb/note"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/statement"
	"habeas.dev/services/internal/words"
)

// Input is everything that a bundle is made of. It holds personal data: it MUST NOT
// be logged.
type Input struct {
	// RequestID is the request's. Letters, digits, hyphens and
	// underscores, at most 64.
	RequestID string
	// Folder is the name of the bundle's folder, as [FolderName] makes it; empty: habeas- and
	// the request's id.
	Folder string
	// Right says which records are covered.
	Right dsar.Right
	// Language is the answer's; nil: English.
	Language   *words.Language
	ReceivedAt time.Time
	// Identifiers are the identifiers by which the person was looked for, in the
	// clear.
	Identifiers []statement.Identifier
	// Systems are all systems that the request had to reach, in the order of the
	// page.
	Systems []System
	// Tell makes the answer of what was read: all that the bundle says beside the records
	// is rendered from it.
	Tell func(read []statement.Reading) statement.Document
	// Letter words what opens the page, from the answer; nil: nothing does.
	Letter func(d *statement.Document) (*Letter, error)
	// Portal is the address of the portal, at which what is wrong can be corrected; empty:
	// there is none.
	Portal string
	// Run is when and by what this bundle was packed. It is in bag-info.txt and
	// nowhere else.
	Run Run
}

// System is one system's part of the answer.
type System struct {
	Manifest *manifest.Manifest
	// Sources are its record streams (pkg/record). A dataset MUST be in one of
	// them only, and every dataset and column MUST be declared in the manifest.
	Sources []Source
	// Former are streams of what was held in fields before they were corrected, as a worker
	// leaves them ([worker.FormerColumn]).
	Former []Source
	// Unread reports whether an error says that such a stream is damaged or gone, where a person
	// has the answer made without: it then says what was corrected, and that what stood there
	// can't be told. nil: that fails, as [ErrFormer].
	Unread func(err error) bool
	// Released tells that a person has looked at what may be about other people, and
	// shows it.
	Released bool
	// Reviewed tells that a person has looked at each value: what isn't to be shown isn't in
	// it, and no rule of the manifest takes more away.
	Reviewed bool
	// Refused are the datasets that the person isn't given: their records are counted and
	// left out.
	Refused []string
}

// Source opens a system's record stream. It is opened once, and a second time
// where the records of a dataset don't fit into memory; both times it MUST
// give the same stream.
type Source func(ctx context.Context) (io.ReadCloser, error)

// Run says when and by what a bundle was packed.
type Run struct {
	At       time.Time
	Software string // e.g. "habeas 1.2.0"
	// Signer signs the bundle; nil: nobody does.
	Signer note.Signer
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
	// (portability), or that are refused.
	LeftOut int64
	// PayloadFiles and PayloadBytes are the bag's Payload-Oxum.
	PayloadFiles int64
	PayloadBytes int64
}
