package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// TestTheCommandThatLiftsAHoldElsewhere: after a hold is lifted, each other request in which it
// goes on is named with a command that lifts it there as it is printed; another hold that was
// lifted before isn't named.
func TestTheCommandThatLiftsAHoldElsewhere(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	who := d.account(1)
	first := d.ask(who, dsar.Access, "EEA", "en", nil)
	d.wait(first)
	for _, dataset := range []string{"registrations", ""} {
		d.do(first, core.Hold{By: "lea", Reason: "case 17", System: "events", Dataset: dataset, Now: now()})
	}
	next := d.ask(who, dsar.Erasure, "EEA", "en", nil)
	d.wait(next)
	lifted := holdCommand{ID: first, System: "events", Dataset: "registrations", Lift: true, Reason: "it's settled; ask $LEA"}
	lifted.Data = "/a folder"
	goesOn := func(c holdCommand) string {
		t.Helper()
		var out bytes.Buffer
		if err := c.goesOn(t.Context(), &out, d.n.Installation, []string{first}); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	for _, dataset := range []string{"", "registrations"} {
		d.do(first, core.Lift{By: "lea", Reason: "settled", System: "events", Dataset: dataset, Now: now()})
	}
	said := goesOn(lifted)
	_, line, _ := strings.Cut(said, "\n")
	if strings.Count(said, "The same hold") != 1 || !strings.Contains(said, next[:shortID]) {
		t.Fatalf("it says %q", said)
	}
	words, err := exec.CommandContext(t.Context(), "sh", "-c", `habeas() { for word; do printf '%s\0' "$word"; done; }`+"\n"+line).Output()
	if err != nil {
		t.Fatal(err)
	}
	parser, err := newParser()
	if err != nil {
		t.Fatal(err)
	}
	call, err := parser.Parse(strings.Split(strings.TrimSuffix(string(words), "\x00"), "\x00"))
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	got := call.Selected().Target.Interface().(holdCommand)
	want := lifted
	if want.ID = next; got != want {
		t.Errorf("%q means %+v, want %+v", line, got, want)
	}
	d.do(got.ID, core.Lift{By: "lea", Reason: got.Reason, System: got.System, Dataset: got.Dataset, Now: now()})
	if said := goesOn(lifted); said != "" {
		t.Errorf("it is lifted there too, and it says %q", said)
	}
	lifted.Dataset = ""
	if said := goesOn(lifted); !strings.Contains(said, "--system=events --reason") {
		t.Errorf("of the other hold it says %q", said)
	}
}
