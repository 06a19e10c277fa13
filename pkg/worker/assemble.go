package worker

import (
	"context"
	"io"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/vault"
)

// Assembler is the ability of Habeas' own aggregator, which puts the answer to a
// request together from what the other workers left in the vault. No system has it:
// no manifest that is read from a file can declare it.
type Assembler interface {
	Assemble(ctx context.Context, jobs []*AssembleJob) error
}

// AssembleJob is a task to assemble an answer. It has no identifiers: what the answer
// is made of is in Data, sealed, and opened by the assembler itself.
type AssembleJob struct {
	Job
	// Data is the task, and Sent when it was sent: the same whenever it
	// comes.
	Data []byte
	Sent time.Time
	// Object names the answer, once it is there.
	Object dsar.Object
}

// Keys returns the keys of the request's small values. Its error is one of package vault:
// they were destroyed, or there never were any.
func (j *AssembleJob) Keys() (*vault.Keys, error) {
	way := j.way
	switch way.sealed.Lost {
	case "":
		if way.lost != nil {
			return nil, way.lost
		}
		values := way.grant.Values
		return vault.ValueKeys(way.task.RequestID, values[vault.SubjectRoot.String()], values[vault.RecordsRoot.String()])
	case link.LostShredded:
		return nil, vault.ErrShredded
	case link.LostUnreadable:
		return nil, vault.ErrCorrupt
	default:
		return nil, vault.ErrNoKeys
	}
}

// Open opens what a system gathered. Its error is one of package vault.
func (j *AssembleJob) Open(ctx context.Context, name string) (io.ReadCloser, error) {
	return j.way.openObject(ctx, name)
}
