package worker

import (
	"context"
	"time"

	"habeas.dev/pkg/dsar"
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
	// Data is the task as it came, and Sent when it was sent: the same whenever it
	// comes.
	Data []byte
	Sent time.Time
	// Object names the answer, once it is there.
	Object dsar.Object
}
