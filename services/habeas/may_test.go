package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/google/uuid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/core/coretest"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/policy"
)

// TestEveryVerbHasACommand: everything that a person can do about a request can be done
// at the command line, by a command that there is.
func TestEveryVerbHasACommand(t *testing.T) {
	t.Parallel()
	for _, verb := range core.Verbs() {
		command := commandFor[verb]
		name, flags, _ := strings.Cut(command, " ")
		args := append([]string{name, "ID"}, strings.Fields(flags)...)
		if problem := misread(t, args); command == "" || problem != "" {
			t.Errorf("%s: habeas %s: %s", verb, command, problem)
		}
	}
	if len(commandFor) != len(core.Verbs()) {
		t.Error("a command is named for what isn't a verb")
	}
}

// TestCommandsAreWhatTheCoreAllows gives every command in every kind of state: what the
// core allows is done; what it doesn't is refused in one line, which says what may be
// done instead.
func TestCommandsAreWhatTheCoreAllows(t *testing.T) {
	t.Parallel()
	c := caller{T: t, dir: t.TempDir(), done: map[core.Verb]int{}, refused: map[core.Verb]int{}}
	c.open()
	for _, facts := range statesForCommands() {
		id := c.copy(facts)
		for _, verb := range core.Verbs() {
			for _, args := range c.calls(verb, id) {
				if c.done[verb] >= enough && c.allowed(id).Has(verb) {
					break // each one that is done needs a copy
				}
				if c.call(verb, id, args) {
					id = c.copy(facts) // the next one finds it as it was
				}
			}
		}
	}
	for _, verb := range core.Verbs() {
		always := verb == core.VerbHold || verb == core.VerbNote // which can be done at any time
		looks := verb == core.VerbReveal || verb == core.VerbOpenPlan || verb == core.VerbNewPassphrase
		if looks {
			continue
		}
		if c.done[verb] == 0 || !always && c.refused[verb] == 0 {
			t.Errorf("%s was done %d times, and refused %d: the test proves nothing of it", verb, c.done[verb], c.refused[verb])
		}
	}
}

// enough is how often each act is seen to be done.
const enough = 4

// statesForCommands returns the facts that lead to a state of each status, and to one in
// which each thing can be done.
func statesForCommands() (out [][]core.Event) {
	met := map[string]bool{}
	var facts []core.Event
	coretest.PlayAll(80, func(s core.State, more []core.Event, now time.Time) {
		if !s.Exists() {
			facts = nil
		}
		facts = append(facts, more...)
		for _, f := range more {
			s = core.Evolve(s, f)
		}
		kinds := []string{string(s.Status)}
		for _, c := range s.AllowedTo(core.Actor("lea", core.LocalUser("desk")), core.Officer, coretest.Calendar{}, now) {
			kinds = append(kinds, string(c.Verb))
		}
		fresh := slices.DeleteFunc(kinds, func(kind string) bool { return met[kind] })
		if len(fresh) > 0 {
			out = append(out, slices.Clone(facts))
		}
		for _, kind := range fresh {
			met[kind] = true
		}
	})
	return out
}

// caller calls commands on an installation, and counts what came of them.
type caller struct {
	*testing.T
	dir           string
	in            *installation.Installation
	book          *policy.Book
	done, refused map[core.Verb]int
}

func (c *caller) open() {
	cfg, err := config.ForData(c.dir)
	if err != nil {
		c.Fatal(err)
	}
	if c.in, err = installation.Make(c.Context(), cfg, installation.Parts{Journal: true, Vault: true, Outbox: true}); err != nil {
		c.Fatal(err)
	}
	c.Cleanup(func() { _ = c.in.Close() })
	if c.book, err = policy.Load(); err != nil {
		c.Fatal(err)
	}
}

// copy appends a played request under an id of its own, as one that came yesterday, of the same
// person.
func (c *caller) copy(facts []core.Event) string { return c.copyOf(facts, "anna@example.com") }

// copyOf appends one of who has an address.
func (c *caller) copyOf(facts []core.Event, email string) string {
	id := uuid.NewString()
	keys, err := c.in.Vault.CreateKeys(c.Context(), id)
	if err != nil {
		c.Fatal(err)
	}
	a := journal.Append{RequestID: id}
	var s core.State
	for _, f := range facts {
		if accepted, ok := f.(core.Accepted); ok {
			accepted.RequestID, accepted.ReceivedAt = id, now().AddDate(0, 0, -1)
			accepted.AcceptedAt, accepted.DueAt = accepted.ReceivedAt, accepted.ReceivedAt.AddDate(0, 1, 0)
			accepted.Identifiers = slices.Clone(accepted.Identifiers)
			one := &accepted.Identifiers[0]
			if one.Sealed, err = keys.Seal([]byte(email), vault.Identifier); err != nil {
				c.Fatal(err)
			}
			one.Fingerprint = c.in.Vault.Fingerprint(one.Type, email)
			f = accepted
		}
		s = core.Evolve(s, f)
		typ, data, err := core.Encode(f)
		if err != nil {
			c.Fatal(err)
		}
		a.Facts = append(a.Facts, journal.NewFact{Type: typ, At: now(), Data: data})
	}
	a.Row = journal.Row{Status: s.Status, Right: s.Accepted.Right, Jurisdiction: "EEA", Source: "test", Digest: "d", ReceivedAt: s.Accepted.ReceivedAt, UpdatedAt: now()}
	if err := c.in.Journal.Append(c.Context(), a); err != nil {
		c.Fatal(err)
	}
	return id
}

// same appends an open request of the same person for the same as another one.
func (c *caller) same(id string) string {
	return c.copy([]core.Event{c.state(id).Accepted})
}

func (c *caller) state(id string) core.State {
	s, err := c.in.Requests.State(c.Context(), id)
	if err != nil {
		c.Fatal(err)
	}
	return s
}

func (c *caller) allowed(id string) core.Choices {
	return c.state(id).AllowedTo(who(c.Context()), localRole, c.book, now())
}

// call calls a command and holds what came of it to what the core allows.
func (c *caller) call(verb core.Verb, id string, args []string) (did bool) {
	args[1] = id
	may := c.allowed(id)
	parser, err := newParser(kong.BindTo(c.Context(), (*context.Context)(nil)), kong.Writers(io.Discard, io.Discard))
	if err != nil {
		c.Fatal(err)
	}
	parsed, err := parser.Parse(append(args, "--data", c.dir))
	if err != nil {
		c.Fatalf("%v: %v", args, err)
	}
	err = parsed.Run()
	allowed := may.Has(verb)
	switch {
	case allowed && err != nil:
		c.Fatalf("%s in %s is allowed, and refused: %v", verb, c.state(id).Status, explain(err))
	case !allowed && err == nil:
		c.Fatalf("%s in %s isn't allowed, and done by %v", verb, c.state(id).Status, args)
	case allowed:
		c.done[verb]++
		return true
	}
	line := explain(err)
	if !strings.HasPrefix(line, "request "+id+": ") || !strings.HasSuffix(line, mayBeDone(may)) || strings.Contains(line, "\n") {
		c.Fatalf("%s in %s: %q doesn't say %q", verb, c.state(id).Status, line, mayBeDone(may))
	}
	c.refused[verb]++
	return false
}

// calls returns the calls of a verb's command, without the request's id: those for what the core offers, else one.
func (c *caller) calls(verb core.Verb, id string) (out [][]string) {
	choice, offered := c.allowed(id).Find(verb)
	name, flags, _ := strings.Cut(commandFor[verb], " ")
	call := func(more ...string) {
		given := strings.Fields(strings.TrimSuffix(flags, "--system SYSTEM"))
		out = append(out, append(append([]string{name, "ID", "--reason", "ticket 4711"}, given...), more...))
	}
	systems := choice.Systems
	if !offered {
		systems = []string{"stranger"}
	}
	//exhaustive:ignore
	switch verb {
	case core.VerbReveal: // habeas review looks only at what was gathered (TestWhatOthersSaid)
	case core.VerbOpenPlan: // habeas plan looks only at what lies in the vault (TestAProofLasts)
	case core.VerbNewPassphrase: // it opens the answer in the outbox (TestPortal)
	case core.VerbRetry, core.VerbAcceptPlan, core.VerbTryNow, core.VerbGatherAgain:
		for _, system := range systems {
			call("--system", system)
		}
	case core.VerbAttest:
		for _, task := range choice.Tasks {
			for _, outcome := range task.Outcomes {
				if outcome != dsar.Gathered { // that one comes with files
					out = append(out, []string{name, "ID", task.System, "--action", string(task.Action), "--outcome", string(outcome), "--reason", "ticket 4711"})
				}
			}
		}
		if !offered {
			out = append(out, []string{name, "ID", "s", "--outcome", string(dsar.NothingFound), "--reason", "ticket 4711"})
		}
	case core.VerbLift:
		for _, h := range choice.Holds {
			call("--system", h.System)
		}
		if !offered {
			call()
		}
	case core.VerbSecond:
		args := []string{"second", "ID", "--decline", "--reason", "ticket 4711"}
		if offered {
			args = slices.Insert(args, 2, fmt.Sprint(choice.Seconds[0].Asked))
		}
		out = append(out, args)
	case core.VerbDecide:
		call("--finding", "upheld")
	case core.VerbJudgeEarlier:
		out = append(out, []string{name, "ID", coretest.Other, "--another", "--reason", "ticket 4711"})
	case core.VerbSettleNotice:
		out = append(out, []string{name, "ID", "r", "--answered", "--reason", "ticket 4711"})
	case core.VerbHold:
		call("--system", "s", "--dataset", "letters")
	case core.VerbRefusePart:
		out = append(out, []string{"refuse", "ID", "--part", "s/letters", "--ground", "rights-of-others", "--reason", "ticket 4711"})
	case core.VerbRefuseField:
		out = append(out, []string{"refuse", "ID", "--field", "s/d.c", "--ground", "rights-of-others", "--reason", "ticket 4711"})
	case core.VerbGivePart:
		out = append(out, []string{"refuse", "ID", "--part", "s/d", "--give", "--reason", "ticket 4711"})
	case core.VerbRefuse:
		call("--ground", core.NotProven)
	case core.VerbMerge:
		call("--into", c.same(id))
	case core.VerbAssign:
		call("--to", "paul")
	default:
		call()
	}
	return out
}
