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
func (d *desk) seeds() {
	for i, s := range d.system.Subjects {
		if len(s.Identifiers) == 0 || len(s.Records) == 0 {
			d.Errorf("subject %d has no identifiers or no records", i)
		}
		for _, r := range s.Records {
			ds := d.system.Manifest.Dataset(r.Dataset)
			if ds == nil {
				d.Fatalf("subject %d: the manifest has no dataset %s", i, r.Dataset)
			}
			for column := range r.Values {
				if ds.Column(column) == nil {
					d.Errorf("subject %d: the manifest has no column %s in %s", i, column, r.Dataset)
				}
			}
		}
	}
}

func (d *desk) gathersExactly() {
	for i, s := range d.system.Subjects {
		r := d.do(dsar.Gather, s)
		if r.Outcome != dsar.Gathered {
			d.Errorf("subject %d: the outcome is %s", i, r.Outcome)
		}
		d.same(fmt.Sprint("subject ", i), d.gathered(r), d.seeded(s))
	}
}

func (d *desk) gathersNobody() {
	if len(d.system.Nobody) == 0 {
		d.Skip("no identifiers of nobody (System.Nobody)")
	}
	r := d.do(dsar.Gather, Subject{Identifiers: d.system.Nobody})
	if r.Outcome != dsar.NothingFound {
		d.Errorf("the outcome is %s", r.Outcome)
	}
	d.same("nobody", d.gathered(r), nil)
}

// gathersTogether asks for everyone at once, nobody among them.
func (d *desk) gathersTogether() {
	var tasks []event.Event
	for _, s := range d.system.Subjects {
		tasks = append(tasks, d.task(request(s.Identifiers), dsar.Gather, s.known(dsar.Gather)))
	}
	if len(d.system.Nobody) > 0 {
		tasks = append(tasks, d.task(request("nobody"), dsar.Gather, d.system.Nobody))
	}
	reports := d.ask(context.Background(), tasks...)
	for i, s := range d.system.Subjects {
		d.same(fmt.Sprint("subject ", i), d.gathered(d.ended(reports[i])), d.seeded(s))
	}
	if len(reports) > len(d.system.Subjects) {
		d.same("nobody", d.gathered(d.ended(reports[len(reports)-1])), nil)
	}
}

// gathersTwins has two requests of the same person in one batch: both are told
// everything.
func (d *desk) gathersTwins() {
	s := d.system.Subjects[0]
	reports := d.ask(context.Background(), d.task(request("one"), dsar.Gather, s.known(dsar.Gather)), d.task(request("other"), dsar.Gather, s.known(dsar.Gather)))
	for i, r := range reports {
		d.same(fmt.Sprint("request ", i), d.gathered(d.ended(r)), d.seeded(s))
	}
}

// gathersAgain delivers the very same task a second time.
func (d *desk) gathersAgain() {
	s := d.system.Subjects[0]
	task := d.task(request(s.Identifiers), dsar.Gather, s.known(dsar.Gather))
	for i := range 2 {
		r := d.ended(d.ask(context.Background(), task)[0])
		d.same(fmt.Sprint("delivery ", i+1), d.gathered(r), d.seeded(s))
	}
}

func (d *desk) resolves() {
	for i, s := range d.system.Subjects {
		r := d.do(dsar.Resolve, s)
		keys, err := d.vault.Keys(context.Background(), r.RequestID)
		if err != nil {
			d.Fatal(err)
		}
		var got, want []string
		for _, id := range r.Identifiers {
			value, err := keys.Open(id.Sealed, vault.Identifier)
			if err != nil {
				d.Fatal(err)
			}
			if id.From == "" {
				d.Errorf("subject %d: nothing says what its %s was found from", i, id.Type)
			}
			got = append(got, string(id.Type)+" "+string(value))
		}
		for _, id := range s.Finds {
			want = append(want, string(id.Type)+" "+id.Value)
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			d.Errorf("subject %d: found %v, want %v", i, got, want)
		}
	}
}
