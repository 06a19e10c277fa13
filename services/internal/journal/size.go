package journal

import "context"

// Sized is the port of who asks what a journal takes.
type Sized interface {
	// Sizes returns every table with its rows and bytes, sorted by name. It may read all of
	// them.
	Sizes(ctx context.Context) ([]Size, error)
	// Largest returns the requests whose facts take most, the largest first. It reads all
	// facts.
	Largest(ctx context.Context, limit int) ([]RequestSize, error)
}

// Size is what one table takes.
type Size struct {
	Table string
	Rows  int64
	// Bytes are the table's, and Indexes those of its indexes.
	Bytes, Indexes int64
}

// RequestSize is what the facts of one request take, without what the table adds.
type RequestSize struct {
	RequestID string
	Facts     int64
	Bytes     int64
}
