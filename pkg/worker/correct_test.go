package worker_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
)

// meaning is the shop, whose columns have concepts; a profile's city may be another's.
func meaning() *manifest.Manifest {
	m := shop()
	m.Datasets[0].Columns = []manifest.Column{{Name: "email", Concept: "contact.email"}, {Name: "city", Concept: "contact.city"}, {Name: "owner"}}
	m.Datasets[0].Others = []manifest.Others{{Columns: []string{"city"}, Unless: map[dsar.IdentifierType]string{"email": "owner"}}}
	m.Datasets[1].Columns = []manifest.Column{{Name: "score", Type: "number"}, {Name: "town", Concept: "contact.city"}}
	return m
}

// corrected has a worker correct something of Anna, as a person has decided, and returns its report with the rows that it
// left in the vault.
func corrected(t *testing.T, m *manifest.Manifest, does any, c event.Correction, decided ...func(*dsar.Task)) (dsar.Report, string) {
	t.Helper()
	v := newVault(t)
	r := handle(t, newWorker(t, m, does), v, task(t, v, anna, dsar.Rectify, func(tk *dsar.Task) {
		tk.Details = details(t, v, anna, event.Details{Corrections: []event.Correction{c}})
		for _, decide := range decided {
			decide(tk)
		}
	}))[0]
	rows := ""
	for _, o := range r.Objects {
		rows += rowsOf(t, v, o)
	}
	return r, rows
}

// TestWhoseValueIsCorrected: what a correction would overwrite may be somebody else's where the
// manifest says so, and where records hold different values: then nothing is corrected, and nothing is told.
func TestWhoseValueIsCorrected(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		column, dataset string
		held            []record.Record
		stays           []string // of the last
		code, told      string
	}{
		"one value":           {column: "contact.city", dataset: "scores", held: []record.Record{{"town": "Paris"}, {"town": "Paris"}}, told: `["town","Paris","Lyon",2]`},
		"in two writings":     {column: "contact.city", dataset: "scores", held: []record.Record{{"town": "PARIS"}, {"town": " Paris"}, {"town": nil}, {"town": "lyon"}}, told: `["town","PARIS","Lyon",1]["town"," Paris","Lyon",1]["town",null,"Lyon",1]["town","lyon","Lyon",1]`},
		"several":             {column: "contact.city", dataset: "scores", held: []record.Record{{"town": "Paris"}, {"town": "Nice"}}, code: worker.CodeOthersValue},
		"several, one stays":  {column: "contact.city", dataset: "scores", held: []record.Record{{"town": "Paris"}, {"town": "Nice"}}, stays: []string{"town"}, told: `["town","Paris","Lyon",1]`},
		"several, one blank":  {column: "town", dataset: "scores", held: []record.Record{{"town": " "}, {"town": "Nice"}}, told: `["town"," ","Lyon",1]["town","Nice","Lyon",1]`},
		"several, by name":    {column: "town", dataset: "scores", held: []record.Record{{"town": "Paris"}, {"town": "Nice"}}, code: worker.CodeOthersValue},
		"somebody else's":     {column: "city", dataset: "profile", held: []record.Record{{"city": "Paris", "owner": "bob@example.com"}}, code: worker.CodeOthersValue},
		"somebody's, stays":   {column: "city", dataset: "profile", held: []record.Record{{"city": "Paris", "owner": address(anna)}, {"city": "Nice", "owner": "bob@example.com"}}, stays: []string{"city"}, told: `["city","Paris","Lyon",1]`},
		"the person's":        {column: "city", dataset: "profile", held: []record.Record{{"city": "Paris", "owner": address(anna)}}, told: `["city","Paris","Lyon",1]`},
		"nothing is held yet": {column: "city", dataset: "profile", held: []record.Record{{"city": nil, "owner": "bob@example.com"}}, told: `["city",null,"Lyon",1]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wrote := 0
			r, rows := corrected(t, meaning(), impl{
				gather: func(_ context.Context, _ worker.Task, out *worker.Records) error {
					for i, rec := range c.held {
						var stays []string
						if i == len(c.held)-1 {
							stays = c.stays
						}
						if err := out.WriteStaying(c.dataset, rec, stays); err != nil {
							return err
						}
					}
					return nil
				},
				rectify: func(context.Context, worker.Task, []worker.Change) ([]dsar.Counts, error) {
					wrote++
					return []dsar.Counts{{Dataset: c.dataset, Found: 1, Rectified: 1}}, nil
				},
			}, event.Correction{Dataset: c.dataset, Column: c.column, Value: "Lyon"})
			if r.Code != c.code || rows != c.told || (wrote == 0) != (c.code != "") {
				t.Errorf("%s %q, told %s, written %d times", r.Kind, r.Code, rows, wrote)
			}
			if c.code != "" && (r.Cause == nil || r.Cause.Dataset != c.dataset || len(r.Cause.Columns) != 1) {
				t.Errorf("the cause is %+v", r.Cause)
			}
		})
	}
}

// standing is an implementation that holds what is corrected in a writing of its own.
type standing struct {
	impl
	is any
}

func (s standing) Rectify(ctx context.Context, jobs []*worker.RectifyJob) error {
	for _, j := range jobs {
		j.Stands("scores", "town", s.is)
	}
	return s.impl.Rectify(ctx, jobs)
}

// TestWhatStandsIsLeftInTheVault: the value that stands in a field is what is told, not the one
// that was asked for.
func TestWhatStandsIsLeftInTheVault(t *testing.T) {
	t.Parallel()
	does := impl{
		gather: func(_ context.Context, _ worker.Task, out *worker.Records) error {
			return out.Write("scores", record.Record{"town": "Paris"})
		},
		rectify: func(context.Context, worker.Task, []worker.Change) ([]dsar.Counts, error) {
			return []dsar.Counts{{Dataset: "scores", Found: 1, Rectified: 1}}, nil
		},
	}
	for is, want := range map[any]string{"LYON": `["town","Paris","LYON",1]`, "Lyon": `["town","Paris","Lyon",1]`, int64(7): `["town","Paris",7,1]`} {
		if r, rows := corrected(t, meaning(), standing{does, is}, event.Correction{Column: "town", Value: "Lyon"}); rows != want || len(r.Objects) != 1 || r.Outcome != dsar.Rectified {
			t.Errorf("%v is told as %s; %+v", is, rows, r)
		}
	}
}

// knowing is an implementation that knows whose an address is.
type knowing struct{ impl }

func (knowing) Elsewhere(_ context.Context, _ *worker.Task, id worker.Identifier) (string, error) {
	if id.Value == "bob@example.com" || id.Value == "at the office" {
		return "profile", nil
	}
	return "", nil
}

// TestCorrectedAddressIsProven: an address by which people are found isn't corrected to one that
// leads to somebody else, or that nobody has shown to be the person's.
func TestCorrectedAddressIsProven(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		needs dsar.IdentifierType
		to    string
		code  string
		sql   bool
	}{
		{needs: "email", to: "bob@example.com", code: worker.CodeIdentifierTaken},
		{needs: "email", to: "new@example.com", code: worker.CodeIdentifierUnproven},
		{needs: "email", to: " " + address(anna) + " "},
		{needs: "email", to: ""},
		{needs: "email", to: "no address"},                                                   // nobody asks by it
		{needs: "email", to: "at the office", code: worker.CodeIdentifierTaken},              // which Bob's row holds
		{needs: "account_id", to: "new@example.com"},                                         // nobody is found by it
		{needs: "email", to: "new@example.com", sql: true},                                   // nor by this column
		{needs: "email", to: "bob@example.com", sql: true, code: worker.CodeIdentifierTaken}, // which is Bob's, though
	} {
		m := meaning()
		m.Needs = []dsar.IdentifierType{"email", "account_id"}
		if c.needs != "email" {
			m.Datasets[0].Columns[0].Concept = "order.email"
		}
		if c.sql {
			m.SQL = &manifest.SQL{}
			m.Datasets[0].SQL = &manifest.DatasetSQL{Table: "profile", Key: []string{"id"}, Subject: map[dsar.IdentifierType]string{"account_id": "account"}, Rectify: []string{"email"}}
		}
		wrote := 0
		r, _ := corrected(t, m, knowing{impl{rectify: func(context.Context, worker.Task, []worker.Change) ([]dsar.Counts, error) {
			wrote++
			return []dsar.Counts{{Dataset: "profile", Found: 1, Rectified: 1}}, nil
		}}}, event.Correction{Dataset: "profile", Column: "email", Value: c.to})
		if r.Code != c.code || (wrote == 0) != (c.code != "") {
			t.Errorf("%+v: %s %q, written %d times", c, r.Kind, r.Code, wrote)
		}
		if c.code != "" && (r.Cause == nil || !slices.Equal(r.Cause.Columns, []string{"email"})) {
			t.Errorf("%+v: the cause is %+v", c, r.Cause)
		}
	}
}

// let is a person's decision that a field is corrected in spite of a doubt.
func let(code, dataset, column string) func(*dsar.Task) {
	return func(t *dsar.Task) {
		t.Let = append(t.Let, dsar.LetGo{Code: code, Field: dsar.Field{Dataset: dataset, Column: column}})
	}
}

// TestAPersonLetsItGo: what has stopped in doubt is corrected once a person has decided so, of
// that field and that doubt only; what may be somebody else's is told to nobody; and onto
// somebody else's address nothing is corrected, whoever has decided what.
func TestAPersonLetsItGo(t *testing.T) {
	t.Parallel()
	held := func(_ context.Context, task worker.Task, out *worker.Records) error {
		for _, id := range task.Identifiers {
			if id.Value == address(anna) || id.Value == "bob@example.com" {
				err := out.Write("profile", record.Record{"email": id.Value, "city": "Paris", "owner": "bob@example.com"})
				for _, town := range []string{"Paris", "Nice"} {
					err = errors.Join(err, out.Write("scores", record.Record{"town": town}))
				}
				return err
			}
		}
		return nil
	}
	for name, c := range map[string]struct {
		change  event.Correction
		decided []func(*dsar.Task)
		knows   bool // it can be asked whose an address is
		reads   bool // it gathers
		code    string
		refused []string
		told    string
	}{
		"others' value": {change: event.Correction{Dataset: "profile", Column: "city", Value: "Lyon"}, reads: true, code: dsar.CodeOthersValue},
		"others' value, let go": {change: event.Correction{Dataset: "profile", Column: "city", Value: "Lyon"}, reads: true,
			decided: []func(*dsar.Task){let(dsar.CodeOthersValue, "profile", "city")}},
		"differing, let go": {change: event.Correction{Dataset: "scores", Column: "town", Value: "Lyon"}, reads: true,
			decided: []func(*dsar.Task){let(dsar.CodeOthersValue, "scores", "town")}},
		"differing": {change: event.Correction{Dataset: "scores", Column: "town", Value: "Lyon"}, reads: true, code: dsar.CodeOthersValue},
		"another doubt": {change: event.Correction{Dataset: "profile", Column: "city", Value: "Lyon"}, reads: true,
			decided: []func(*dsar.Task){let(dsar.CodeIdentifierUnproven, "profile", "city")}, code: dsar.CodeOthersValue},
		"another field": {change: event.Correction{Dataset: "profile", Column: "city", Value: "Lyon"}, reads: true,
			decided: []func(*dsar.Task){let(dsar.CodeOthersValue, "profile", "email")}, code: dsar.CodeOthersValue},
		"unproven, let go": {change: event.Correction{Dataset: "profile", Column: "email", Value: "new@example.com"}, knows: true,
			decided: []func(*dsar.Task){let(dsar.CodeIdentifierUnproven, "profile", "email")}},
		"taken, let go": {change: event.Correction{Dataset: "profile", Column: "email", Value: "bob@example.com"}, knows: true,
			decided: []func(*dsar.Task){let(dsar.CodeIdentifierUnproven, "", ""), let(dsar.CodeIdentifierTaken, "", "")}, code: dsar.CodeIdentifierTaken},
		"gathered by": {change: event.Correction{Dataset: "profile", Column: "email", Value: "bob@example.com"}, reads: true,
			decided: []func(*dsar.Task){let(dsar.CodeIdentifierUnproven, "", "")}, code: dsar.CodeIdentifierTaken},
		"gathered by, nobody's": {change: event.Correction{Dataset: "profile", Column: "email", Value: "new@example.com"}, reads: true, code: dsar.CodeIdentifierUnproven},
		"gathered by, nobody's, let go": {change: event.Correction{Dataset: "profile", Column: "email", Value: "new@example.com"}, reads: true,
			decided: []func(*dsar.Task){let(dsar.CodeIdentifierUnproven, "", "")}, told: `["email","` + address(anna) + `","new@example.com",1]`},
		"nobody can be asked": {change: event.Correction{Dataset: "profile", Column: "email", Value: "new@example.com"},
			decided: []func(*dsar.Task){let(dsar.CodeIdentifierUnproven, "", "")}, code: dsar.CodeIdentifierUnasked},
		"malformed": {change: event.Correction{Dataset: "profile", Column: "email", Value: "no address"}, reads: true, code: "bad-correction"},
		"refused": {change: event.Correction{Dataset: "profile", Column: "email", Value: "bob@example.com"}, knows: true,
			decided: []func(*dsar.Task){func(t *dsar.Task) { t.Refused = []dsar.Field{{Dataset: "profile", Column: "email"}} }}, code: dsar.CodeFieldsRefused, refused: []string{"email"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := meaning()
			m.Needs = []dsar.IdentifierType{"email"}
			wrote := 0
			i := impl{rectify: func(context.Context, worker.Task, []worker.Change) ([]dsar.Counts, error) {
				wrote++
				return []dsar.Counts{{Dataset: "profile", Found: 1, Rectified: 1}}, nil
			}}
			if i.gather = held; !c.reads {
				m.Abilities = slices.DeleteFunc(slices.Clone(m.Abilities), func(a dsar.Action) bool { return a == dsar.Gather })
			}
			var does any = i
			if c.knows {
				does = knowing{i}
			}
			r, rows := corrected(t, m, does, c.change, c.decided...)
			if r.Code != c.code || (wrote == 0) != (c.code != "") || rows != c.told {
				t.Errorf("%s %q %s, told %s, written %d times", r.Kind, r.Code, r.Reason, rows, wrote)
			}
			if len(c.refused) > 0 && (r.Outcome != dsar.NotApplicable || len(r.Counts) != 1 || !slices.Equal(r.Counts[0].Refused, c.refused)) {
				t.Errorf("ended %s, %+v", r.Outcome, r.Counts)
			}
		})
	}
}

// TestWhatStandsIsReadBack: of a worker that doesn't say what stands in a corrected field it is
// read back: another writing, or another value, is told; what holds what it held before isn't
// corrected; where nothing can be read, what was written is told, and that it wasn't looked.
func TestWhatStandsIsReadBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		holds     any // afterwards
		fails     bool
		told      string
		unchanged bool
	}{
		"as it was asked":  {holds: "Lyon", told: `["town","Paris","Lyon",1]`},
		"in capitals":      {holds: "LYON", told: `["town","Paris","LYON",1]`},
		"cut":              {holds: "Ly", told: `["town","Paris","Ly",1]`},
		"emptied":          {holds: nil, told: `["town","Paris",null,1]`},
		"as it was before": {holds: "Paris", told: `["town","Paris","Lyon",1]`, unchanged: true},
		"unreadable":       {fails: true, told: `["town","Paris","Lyon",1]`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wrote := false
			r, rows := corrected(t, meaning(), impl{
				gather: func(_ context.Context, _ worker.Task, out *worker.Records) error {
					switch {
					case wrote && c.fails:
						return worker.Transient("vendor", "it can't be asked now", nil)
					case wrote:
						return out.Write("scores", record.Record{"town": c.holds})
					default:
						return out.Write("scores", record.Record{"town": "Paris"})
					}
				},
				rectify: func(context.Context, worker.Task, []worker.Change) ([]dsar.Counts, error) {
					wrote = true
					return []dsar.Counts{{Dataset: "scores", Found: 1, Rectified: 1, Changed: []string{"town"}}}, nil
				},
			}, event.Correction{Column: "town", Value: "Lyon"})
			if rows != c.told || r.Outcome != dsar.Rectified || len(r.Counts) != 1 || (len(r.Counts[0].Unchanged) == 1) != c.unchanged || (len(r.Counts[0].Changed) == 1) == c.unchanged {
				t.Errorf("%s %s %q, told %s, %+v", r.Kind, r.Outcome, r.Reason, rows, r.Counts)
			}
			if (len(r.Notes) > 0) != c.fails {
				t.Errorf("it notes %q", r.Notes)
			}
		})
	}
}
