package truth

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/sqlsystem"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/internal/statement"
	"habeas.dev/services/internal/words"
)

// mutantSeeds is within how many seeds a mutant must be caught.
const mutantSeeds = 60

// TestMutants breaks one promise at a time, and sees the oracle notice.
func TestMutants(t *testing.T) {
	t.Parallel()
	k := newKit(t)
	for name, m := range map[string]mutant{
		"asks for somebody else's records":     {wrap: func(s *sqlsystem.System) any { return &stranger{System: s} }},
		"erases somebody else":                 {wrap: func(s *sqlsystem.System) any { return &stranger{System: s, erases: true} }},
		"says that it erased, and did nothing": {wrap: func(s *sqlsystem.System) any { return &idler{s} }},
		"gathers nothing":                      {wrap: func(s *sqlsystem.System) any { return &silent{System: s} }},
		"plans nothing":                        {wrap: func(s *sqlsystem.System) any { return &silent{System: s, plans: true} }},
		"forgets what must stay":               {options: []sqlsystem.Option{sqlsystem.WithClock(func() time.Time { return today.AddDate(20, 0, 0) })}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(mutantSeeds) {
				if o := play(t, k, sqLite, seed+1, m); len(o.lies) > 0 {
					return
				}
			}
			t.Errorf("nothing was noticed in %d runs", mutantSeeds)
		})
	}
}

// stranger answers about the person whose number is the next one.
type stranger struct {
	*sqlsystem.System
	erases bool
}

func (s *stranger) swap(ids []worker.Identifier) []worker.Identifier {
	out := append([]worker.Identifier(nil), ids...)
	for i := range out {
		for person := range persons {
			if out[i].Value == email(person) {
				out[i].Value = email((person + 1) % persons)
				break
			}
		}
	}
	return out
}

func (s *stranger) Gather(ctx context.Context, jobs []*worker.GatherJob) error {
	for _, j := range jobs {
		if !s.erases {
			j.Identifiers = s.swap(j.Identifiers)
		}
	}
	return s.System.Gather(ctx, jobs)
}

func (s *stranger) Plan(ctx context.Context, jobs []*worker.PlanJob) error {
	for _, j := range jobs {
		if s.erases {
			j.Identifiers = s.swap(j.Identifiers)
		}
	}
	return s.System.Plan(ctx, jobs)
}

func (s *stranger) Erase(ctx context.Context, jobs []*worker.EraseJob) error {
	for _, j := range jobs {
		if s.erases {
			j.Identifiers = s.swap(j.Identifiers)
		}
	}
	return s.System.Erase(ctx, jobs)
}

// idler says that all that was planned is erased, and that nothing is left.
type idler struct{ *sqlsystem.System }

func (*idler) Erase(_ context.Context, jobs []*worker.EraseJob) error {
	for _, j := range jobs {
		for _, c := range j.Plan.Counts() {
			j.Counts = append(j.Counts, dsar.Counts{Dataset: c.Dataset, Erased: c.Found - c.Kept(), Retained: c.Retained})
		}
	}
	return nil
}

func (*idler) Prove(_ context.Context, jobs []*worker.EraseJob) error {
	for _, j := range jobs {
		for _, c := range j.Plan.Counts() {
			j.Counts = append(j.Counts, dsar.Counts{Dataset: c.Dataset, Found: c.Kept(), Retained: c.Retained})
		}
	}
	return nil
}

// silent leaves out everything.
type silent struct {
	*sqlsystem.System
	plans bool
}

func (s *silent) Gather(ctx context.Context, jobs []*worker.GatherJob) error {
	if s.plans {
		return s.System.Gather(ctx, jobs)
	}
	return nil
}

func (s *silent) Plan(ctx context.Context, jobs []*worker.PlanJob) error {
	if s.plans {
		return nil
	}
	return s.System.Plan(ctx, jobs)
}

// TestOracleReadsThePage: a page that says "nothing" over a record of the person is a
// lie, and one that says "nothing else" is over a record that needn't stay.
func TestOracleReadsThePage(t *testing.T) {
	t.Parallel()
	says := words.For("en").Answer
	nothing, nothingElse := says.Statements[string(statement.NothingHeld)].Sentence, says.Statements[string(statement.NothingElseHeld)].Sentence
	for _, c := range []struct {
		lead  string
		there record
		lies  int
	}{
		{nothing, record{owner: 1, also: nobody, until: today.AddDate(1, 0, 0)}, 1},
		{nothing, record{owner: 2, also: nobody}, 0},
		{nothingElse, record{owner: 1, also: nobody, until: today.AddDate(1, 0, 0)}, 0},
		{nothingElse, record{owner: 1, also: nobody}, 1},
		{says.Lead[dsar.Access], record{owner: 1, also: nobody}, 0},
	} {
		o := &oracle{pipeline: &pipeline{now: today}, fixture: &fixture{}, right: dsar.Access, person: 1, before: map[record]row{c.there: {}}}
		if o.pageIsTrue(`<p class="lead">` + c.lead + "</p>"); len(o.lies) != c.lies {
			t.Errorf("%q over %+v: %v", c.lead, c.there, o.lies)
		}
	}
}

// TestOracleReadsTheLetters: what the oracle looks for in letters is what they say.
func TestOracleReadsTheLetters(t *testing.T) {
	t.Parallel()
	var text []byte
	for _, name := range []string{"letters.tmpl", "statements.yaml"} {
		part, err := os.ReadFile("../words/en/" + name)
		if err != nil {
			t.Fatal(err)
		}
		text = append(text, part...)
	}
	for _, says := range []string{saysNothingLeft, saysOnlyKept, saysLocked} {
		if !strings.Contains(string(text), says) {
			t.Errorf("no letter says %q any more: write in answer_test.go what it says instead", says)
		}
	}
}
