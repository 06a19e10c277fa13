package workertest

import (
	"context"
	"fmt"
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/vault"
)

// seeds holds the author's seeds to the manifest, so that the other checks mean
// what they say.
func (tr *trial) seeds() {
	for i, s := range tr.system.Subjects {
		if len(s.Identifiers) == 0 || len(s.Records) == 0 {
			tr.Errorf("subject %d has no identifiers or no records", i)
		}
		for _, r := range s.Records {
			ds := tr.system.Manifest.Dataset(r.Dataset)
			if ds == nil {
				tr.Fatalf("subject %d: the manifest has no dataset %s", i, r.Dataset)
			}
			for column := range r.Values {
				if ds.Column(column) == nil {
					tr.Errorf("subject %d: the manifest has no column %s in %s", i, column, r.Dataset)
				}
			}
		}
	}
}

func (tr *trial) gathersExactly() {
	for i, s := range tr.system.Subjects {
		r := tr.do(dsar.Gather, s)
		if r.Outcome != dsar.Gathered {
			tr.Errorf("subject %d: the outcome is %s", i, r.Outcome)
		}
		tr.same(fmt.Sprint("subject ", i), tr.gathered(r), tr.seeded(s))
	}
}

func (tr *trial) gathersNobody() {
	if len(tr.system.Nobody) == 0 {
		tr.Skip("no identifiers of nobody (System.Nobody)")
	}
	r := tr.do(dsar.Gather, Subject{Identifiers: tr.system.Nobody})
	if r.Outcome != dsar.NothingFound {
		tr.Errorf("the outcome is %s", r.Outcome)
	}
	tr.same("nobody", tr.gathered(r), nil)
}

// gathersTogether asks for everyone at once, nobody among them.
func (tr *trial) gathersTogether() {
	var tasks []event.Event
	for _, s := range tr.system.Subjects {
		tasks = append(tasks, tr.task(request(s.Identifiers), dsar.Gather, s.known(dsar.Gather)))
	}
	if len(tr.system.Nobody) > 0 {
		tasks = append(tasks, tr.task(request("nobody"), dsar.Gather, tr.system.Nobody))
	}
	reports := tr.ask(context.Background(), tasks...)
	for i, s := range tr.system.Subjects {
		tr.same(fmt.Sprint("subject ", i), tr.gathered(tr.ended(reports[i])), tr.seeded(s))
	}
	if len(reports) > len(tr.system.Subjects) {
		tr.same("nobody", tr.gathered(tr.ended(reports[len(reports)-1])), nil)
	}
}

// gathersTwins has two requests of the same person in one batch: both are told
// everything.
func (tr *trial) gathersTwins() {
	s := tr.system.Subjects[0]
	reports := tr.ask(context.Background(), tr.task(request("one"), dsar.Gather, s.known(dsar.Gather)), tr.task(request("other"), dsar.Gather, s.known(dsar.Gather)))
	for i, r := range reports {
		tr.same(fmt.Sprint("request ", i), tr.gathered(tr.ended(r)), tr.seeded(s))
	}
}

// gathersAgain delivers the very same task a second time.
func (tr *trial) gathersAgain() {
	s := tr.system.Subjects[0]
	task := tr.task(request(s.Identifiers), dsar.Gather, s.known(dsar.Gather))
	for i := range 2 {
		r := tr.ended(tr.ask(context.Background(), task)[0])
		tr.same(fmt.Sprint("delivery ", i+1), tr.gathered(r), tr.seeded(s))
	}
}

func (tr *trial) resolves() {
	for i, s := range tr.system.Subjects {
		r := tr.do(dsar.Resolve, s)
		keys, err := tr.vault.Keys(context.Background(), r.RequestID)
		if err != nil {
			tr.Fatal(err)
		}
		var got, want []string
		for _, id := range r.Identifiers {
			value, err := keys.Open(id.Sealed, vault.Identifier)
			if err != nil {
				tr.Fatal(err)
			}
			if id.From == "" {
				tr.Errorf("subject %d: nothing says what its %s was found from", i, id.Type)
			}
			got = append(got, string(id.Type)+" "+string(value))
		}
		for _, id := range s.Finds {
			want = append(want, string(id.Type)+" "+id.Value)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			tr.Errorf("subject %d: found %v, want %v", i, got, want)
		}
	}
}
