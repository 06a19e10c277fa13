// Package conform asks a service of the HTTP contract what it must answer, from outside: by
// its address, in whatever language it is written. It is what `habeas conform` does.
//
// Everything but an erasure leaves the service as it was. The checks need people of whom the
// service holds something, at least two, so that one's records can be told from the
// other's; nobody real.
package conform

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/systems/httpsystem"
)

// Config says which service is asked, and by whose records. All fields but Erase are
// needed.
type Config struct {
	URL      string
	Secret   string
	Manifest *manifest.Manifest
	// Subjects are people of whom the service holds something: at least two.
	Subjects []Subject
	// Erase has the first subject's records erased, which can't be undone.
	Erase bool
}

// Subject is the identifiers of one person.
type Subject []worker.Identifier

// Result is what came of one check.
type Result struct {
	// Check says what is looked at.
	Check string
	// Skipped says why it was not looked at; empty where it was.
	Skipped string
	// Err says what is wrong; nil where nothing is. Its text holds nothing of a person.
	Err error
}

// kit is one run.
type kit struct {
	Config
	system *httpsystem.System
	call   *caller
	erased *worker.Plan // by which the first subject's records were erased
}

type check struct {
	name string
	// needs is the ability without which it is skipped.
	needs dsar.Action
	// erases tells that it destroys records.
	erases bool
	run    func(*kit, context.Context) error
}

func checks() []check {
	return []check{
		{"says what it is, as the manifest has it", "", false, (*kit).saysWhatItIs},
		{"refuses a signature that isn't ours", "", false, (*kit).refusesStrangers},
		{"refuses a body that was changed", "", false, (*kit).refusesChanged},
		{"refuses a signature of long ago", "", false, (*kit).refusesOld},
		{"takes one of two signatures, while the secret is changed", "", false, (*kit).takesEither},
		{"refuses a body that was cut", "", false, (*kit).refusesCut},
		{"knows no other action", "", false, (*kit).refusesUnknown},
		{"gathers what it holds, the same again", dsar.Gather, false, (*kit).gathersTheSame},
		{"gathers one person's records and no other's", dsar.Gather, false, (*kit).keepsApart},
		{"gathers nothing of nobody", dsar.Gather, false, (*kit).gathersNobody},
		{"takes an identifier for what it is", dsar.Gather, false, (*kit).takesNoTricks},
		{"quotes nobody in an error", dsar.Gather, false, (*kit).quotesNobody},
		{"plans each record once, the same again", dsar.Erase, false, (*kit).plansTheSame},
		{"plans as many records as it gathers", dsar.Erase, false, (*kit).plansWhatItGathers},
		{"finds nothing of somebody else's under a planned key", dsar.Erase, false, (*kit).leavesAnothers},
		{"erases nothing without a plan", dsar.Erase, false, (*kit).refusesNoPlan},
		{"erases what was planned, and nobody else's", dsar.Erase, true, (*kit).erases},
		{"erases what is gone already", dsar.Erase, true, (*kit).erasesAgain},
	}
}

// Run makes the checks, one after the other, and hands each result to tell as it comes. Its
// error is about what it was asked with; what is wrong with the service is in the results.
func Run(ctx context.Context, c Config, tell func(Result)) error {
	if len(c.Subjects) < 2 {
		return errors.New("name two people of whom the service holds something, so that one's records can be told from the other's: --subject email=anna@example.com --subject email=bob@example.com")
	}
	system, err := httpsystem.New(httpsystem.Config{URL: c.URL, Secret: vendorapi.SecretValue(c.Secret), Manifest: c.Manifest})
	if err != nil {
		return err
	}
	call, err := newCaller(c)
	if err != nil {
		return err
	}
	k := &kit{Config: c, system: system, call: call}
	for _, one := range checks() {
		r := Result{Check: one.name}
		switch {
		case one.needs != "" && !c.Manifest.Can(one.needs):
			r.Skipped = "the manifest doesn't say " + string(one.needs)
		case one.erases && !c.Erase:
			r.Skipped = "it can't be undone: --erase"
		default:
			r.Err = one.run(k, ctx)
		}
		tell(r)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

func task(a dsar.Action, s Subject) worker.Job {
	right := dsar.Erasure
	if a == dsar.Gather {
		right = dsar.Access
	}
	return worker.Job{Task: worker.Task{RequestID: "00000000-0000-4000-8000-000000000001", Action: a, Right: right, Jurisdiction: "EEA", Attempt: 1, Identifiers: s}}
}

// gather returns a subject's records, as lines.
func (k *kit) gather(ctx context.Context, s Subject) ([]string, map[string]int64, error) {
	var lines []string
	counts := map[string]int64{}
	records := worker.NewRecords(k.Manifest, dsar.Access, s, func(dataset string, r record.Record) error {
		counts[dataset]++
		lines = append(lines, dataset+" "+fmt.Sprint(map[string]any(r))) // in order of the columns' names
		return nil
	})
	j := &worker.GatherJob{Job: task(dsar.Gather, s), Records: records}
	err := k.system.Gather(ctx, []*worker.GatherJob{j})
	slices.Sort(lines)
	return lines, counts, either(err, j.Err)
}

// plan returns a subject's plan, and its keys as lines.
func (k *kit) plan(ctx context.Context, s Subject) (*worker.Plan, []string, error) {
	writer := worker.NewPlanWriter(k.Manifest)
	j := &worker.PlanJob{Job: task(dsar.Plan, s), Plan: writer}
	if err := either(k.system.Plan(ctx, []*worker.PlanJob{j}), j.Err); err != nil {
		return nil, nil, err
	}
	p, err := writer.Plan()
	if err != nil {
		return nil, nil, err
	}
	var lines []string
	for e, err := range p.Entries(ctx) {
		if err != nil {
			return nil, nil, err
		}
		lines = append(lines, e.Dataset+" "+e.Key+" "+e.Ground)
	}
	slices.Sort(lines)
	return p, lines, nil
}

// either returns the error of a call and its job that says more.
func either(call, job error) error {
	if job != nil {
		return job
	}
	return call
}

func (k *kit) saysWhatItIs(ctx context.Context) error {
	j := &worker.GatherJob{Job: task(dsar.Gather, nobody(k.Manifest)), Records: worker.NewRecords(k.Manifest, dsar.Access, nil, func(string, record.Record) error { return nil })}
	return either(k.system.Gather(ctx, []*worker.GatherJob{j}), nil)
}

func (k *kit) gathersTheSame(ctx context.Context) error {
	for i, s := range k.Subjects {
		first, _, err := k.gather(ctx, s)
		if err != nil {
			return err
		}
		if len(first) == 0 {
			return fmt.Errorf("it holds nothing of subject %d: name people of whom it holds something", i+1)
		}
		again, _, err := k.gather(ctx, s)
		if err != nil {
			return err
		}
		if !slices.Equal(first, again) {
			return fmt.Errorf("asked twice for subject %d, it gave %d records and then %d, or others", i+1, len(first), len(again))
		}
	}
	return nil
}

func (k *kit) keepsApart(ctx context.Context) error {
	of := map[string]int{}
	for i, s := range k.Subjects {
		lines, _, err := k.gather(ctx, s)
		if err != nil {
			return err
		}
		for _, l := range lines {
			if other, there := of[l]; there && other != i {
				return fmt.Errorf("it gave one record to subject %d and to subject %d", other+1, i+1)
			}
			of[l] = i
		}
	}
	return nil
}

func nobody(m *manifest.Manifest) Subject {
	s := Subject{}
	for _, t := range m.Needs {
		value := "nobody-b1946ac9"
		switch t {
		case "email":
			value += "@example.invalid"
		case "phone":
			value = "+999000000001"
		}
		s = append(s, worker.Identifier{Type: t, Value: value, Assurance: dsar.AssuranceVerified})
	}
	return s
}

func (k *kit) gathersNobody(ctx context.Context) error {
	lines, _, err := k.gather(ctx, nobody(k.Manifest))
	if err == nil && len(lines) > 0 {
		err = fmt.Errorf("it gave %d records of somebody who isn't there", len(lines))
	}
	return err
}

// takesNoTricks asks by identifiers that mean something to a database, a template, a
// pattern.
func (k *kit) takesNoTricks(ctx context.Context) error {
	for _, value := range []string{"' OR '1'='1", "%", "*", "\\", "{{7*7}}", "\"", "a\u0000b", "; DROP TABLE people; --", strings.Repeat("x", 1000)} {
		for _, t := range k.Manifest.Needs {
			lines, _, err := k.gather(ctx, Subject{{Type: t, Value: value, Assurance: dsar.AssuranceVerified}})
			if err != nil {
				return fmt.Errorf("asked by a %s that nobody has: %w", t, err)
			}
			if len(lines) > 0 {
				return fmt.Errorf("asked by a %s that nobody has, it gave %d records: it takes the value for more than a value", t, len(lines))
			}
		}
	}
	return nil
}

func (k *kit) plansTheSame(ctx context.Context) error {
	for i, s := range k.Subjects {
		_, first, err := k.plan(ctx, s)
		if err != nil {
			return err
		}
		if n := len(first); n != len(slices.Compact(slices.Clone(first))) {
			return fmt.Errorf("it planned a record of subject %d twice", i+1)
		}
		_, again, err := k.plan(ctx, s)
		if err != nil {
			return err
		}
		if !slices.Equal(first, again) {
			return fmt.Errorf("asked twice for subject %d, it planned %d records and then %d, or others", i+1, len(first), len(again))
		}
	}
	return nil
}

func (k *kit) plansWhatItGathers(ctx context.Context) error {
	if !k.Manifest.Can(dsar.Gather) {
		return nil
	}
	for i, s := range k.Subjects {
		_, gathered, err := k.gather(ctx, s)
		if err != nil {
			return err
		}
		p, _, err := k.plan(ctx, s)
		if err != nil {
			return err
		}
		planned := map[string]int64{}
		for _, c := range p.Counts() {
			planned[c.Dataset] = c.Found
		}
		if !maps.Equal(gathered, planned) {
			return fmt.Errorf("of subject %d it gathers %v and plans %v: a plan names every record, also those that must stay", i+1, gathered, planned)
		}
	}
	return nil
}

// leavesAnothers proves the first subject's erasure by a plan that has the second's records, as if
// these had been the first's when it was made: they aren't found, by keys only neither.
func (k *kit) leavesAnothers(ctx context.Context) error {
	own, _, err := k.plan(ctx, k.Subjects[0])
	if err != nil {
		return err
	}
	planned := map[string]int64{}
	for _, c := range own.Counts() {
		planned[c.Dataset] = c.Found
	}
	p, err := k.planOf(ctx, k.Subjects[:2]...)
	if err != nil {
		return err
	}
	for _, byKeys := range []bool{false, true} {
		j := &worker.EraseJob{Job: task(dsar.Prove, k.Subjects[0]), Plan: p}
		if byKeys {
			j.ByKeys, j.Owner, j.Identifiers = true, j.Identifiers, nil
		}
		if err := either(k.system.Prove(ctx, []*worker.EraseJob{j}), j.Err); err != nil {
			return err
		}
		for _, c := range j.Counts {
			if c.Found > planned[c.Dataset] {
				return fmt.Errorf("it finds %d records of dataset %s for subject 1, of whom there are %d: what stands under a planned key and is somebody else's by now is left, and an erasure says reassigned", c.Found, c.Dataset, planned[c.Dataset])
			}
		}
	}
	return nil
}

// planOf returns a plan of several people's records.
func (k *kit) planOf(ctx context.Context, people ...Subject) (*worker.Plan, error) {
	all := worker.NewPlanWriter(k.Manifest)
	for _, s := range people {
		one, _, err := k.plan(ctx, s)
		if err != nil {
			return nil, err
		}
		for e, err := range one.Entries(ctx) {
			if err == nil {
				err = all.Add(e)
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return all.Plan()
}

// erase erases the first subject's records by a plan.
func (k *kit) erase(ctx context.Context, p *worker.Plan) ([]dsar.Counts, error) {
	j := &worker.EraseJob{Job: task(dsar.Erase, k.Subjects[0]), Plan: p}
	err := k.system.Erase(ctx, []*worker.EraseJob{j})
	return j.Counts, either(err, j.Err)
}

func (k *kit) erases(ctx context.Context) error {
	others := map[int][]string{}
	for i := 1; i < len(k.Subjects); i++ {
		lines, _, err := k.gather(ctx, k.Subjects[i])
		if err != nil {
			return err
		}
		others[i] = lines
	}
	p, _, err := k.plan(ctx, k.Subjects[0])
	if err != nil {
		return err
	}
	counts, err := k.erase(ctx, p)
	if err != nil {
		return err
	}
	if short := dsar.Unmet(p.Counts(), counts); short != "" {
		return errors.New("what it did falls short of the plan: " + short)
	}
	k.erased = p
	if err := k.proves(ctx, p); err != nil {
		return err
	}
	for i, before := range others {
		now, _, err := k.gather(ctx, k.Subjects[i])
		if err != nil {
			return err
		}
		if !slices.Equal(before, now) {
			return fmt.Errorf("after the erasure of subject 1, subject %d has other records than before", i+1)
		}
	}
	return nil
}

// proves asks what is left of the first subject: what the plan keeps, and nothing else.
func (k *kit) proves(ctx context.Context, p *worker.Plan) error {
	j := &worker.EraseJob{Job: task(dsar.Prove, k.Subjects[0]), Plan: p}
	if err := either(k.system.Prove(ctx, []*worker.EraseJob{j}), j.Err); err != nil {
		return err
	}
	for _, c := range j.Counts {
		if left := c.Found - c.Kept(); left > 0 {
			return fmt.Errorf("after the erasure %d records of dataset %s are still there", left, c.Dataset)
		}
	}
	return nil
}

func (k *kit) erasesAgain(ctx context.Context) error {
	if k.erased == nil {
		return errors.New("nothing was erased that could be gone")
	}
	counts, err := k.erase(ctx, k.erased)
	if err != nil {
		return fmt.Errorf("of what is gone: %w", err)
	}
	for _, c := range counts {
		if c.Erased+c.Anonymised > 0 {
			return fmt.Errorf("it erased %d records of dataset %s that it had erased before", c.Erased+c.Anonymised, c.Dataset)
		}
	}
	return nil
}
