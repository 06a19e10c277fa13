package main

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// TestMergedIntoTheSame: the command refuses, in one line, what isn't the same request.
func TestMergedIntoTheSame(t *testing.T) {
	t.Parallel()
	c := caller{T: t, dir: t.TempDir(), done: map[core.Verb]int{}, refused: map[core.Verb]int{}}
	c.open()
	access := core.Accepted{RequestID: "r", Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: now(), AcceptedAt: now(), Digest: "d",
		Identifiers: []dsar.Identifier{{Type: "email", Assurance: dsar.AssuranceVerified}}}
	erasure := access
	erasure.Right = dsar.Erasure
	id, other := c.copy([]core.Event{access}), c.copy([]core.Event{access})
	stranger := c.copyOf([]core.Event{access}, "bob@example.com")
	merge := func(into string) error {
		parser, err := newParser(kong.BindTo(t.Context(), (*context.Context)(nil)), kong.Writers(io.Discard, io.Discard))
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parser.Parse([]string{"merge", id, "--into", into, "--reason", "ticket 4711", "--data", c.dir})
		if err != nil {
			t.Fatal(err)
		}
		return parsed.Run()
	}
	for into, says := range map[string]string{
		"00000000-0000-4000-8000-000000000000": "the other request isn’t there", stranger: "nothing says that one person made both", c.copy([]core.Event{erasure}): "asks for something else",
	} {
		if err := merge(into); err == nil || !strings.HasPrefix(explain(err), "request "+id+": ") || !strings.Contains(explain(err), says) || strings.Contains(explain(err), "\n") {
			t.Errorf("%v, want %q", err, says)
		}
	}
	if s := c.state(id); s.Status.Ended() {
		t.Errorf("it is %s", s.Status)
	}
	if err := merge(other); err != nil || c.state(id).Status != core.StatusMerged {
		t.Errorf("it is %s: %v", c.state(id).Status, err)
	}
}
