package main

import (
	"log/slog"
	"testing"

	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
)

// TestConformance asks of the library what will happen to it.
func TestConformance(t *testing.T) {
	m, err := readManifest()
	if err != nil {
		t.Fatal(err)
	}
	workertest.Run(t, func(testing.TB, *slog.Logger) workertest.System {
		return workertest.System{
			Manifest: m,
			Worker:   NewLibrary(),
			Subjects: []workertest.Subject{
				{Identifiers: []worker.Identifier{{Type: "email", Value: "anna@example.com"}}, Records: []workertest.Record{
					{Dataset: "loans", Values: map[string]any{"book": "The Trial", "returned": "2026-03-01"}},
					{Dataset: "loans", Values: map[string]any{"book": "Nineteen Eighty-Four", "returned": "2026-04-15"}},
				}},
				{Identifiers: []worker.Identifier{{Type: "email", Value: "bob@example.com"}}, Records: []workertest.Record{
					{Dataset: "loans", Values: map[string]any{"book": "The Castle", "returned": "2026-05-20"}},
				}},
			},
			Nobody: []worker.Identifier{{Type: "email", Value: "nobody@example.net"}},
		}
	})
}
