package sqlsystem

import (
	"encoding/json"
	"slices"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/worker"
	"habeas.dev/pkg/worker/workertest"
)

// reports has a worker handle a batch of tasks.
func reports(t *testing.T, desk *workertest.Desk, w *worker.Worker, tasks ...event.Event) []dsar.Report {
	t.Helper()
	var out []dsar.Report
	for _, answer := range desk.Handle(t.Context(), w, tasks) {
		var r dsar.Report
		if err := json.Unmarshal(answer.Data, &r); err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

// TestRowWithoutAKey: a row whose key is null, as SQLite lets it be, fails the task of whose
// row it is, and of nobody else in the batch.
func TestRowWithoutAKey(t *testing.T) {
	t.Parallel()
	d := sqliteDB(t, "CREATE TABLE orders (number TEXT PRIMARY KEY, email TEXT); INSERT INTO orders VALUES (NULL, 'ann@example.com'), ('n2', 'bob@example.com'), ('n3', 'cleo@example.com')")
	m := small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}", "orders | table: orders, key: [number], subject: {email: email}, erase: delete | number")
	w, err := worker.New(m, open(t, d, m))
	if err != nil {
		t.Fatal(err)
	}
	desk := workertest.NewDesk(t)
	people := []string{"ann", "bob", "cleo"}
	plans := make([]*dsar.Object, len(people))
	ask := func(action dsar.Action) []dsar.Report {
		t.Helper()
		var tasks []event.Event
		for i, name := range people {
			task := dsar.Task{RequestID: "0f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a1" + string(rune('0'+i)), System: "small", Action: action, Attempt: 1, Right: dsar.Erasure, Plan: plans[i]}
			tasks = append(tasks, workertest.Seal(t, desk, task, ids("email "+name+"@example.com")))
		}
		return reports(t, desk, w, tasks...)
	}
	for i, r := range ask(dsar.Plan) {
		if i == 0 {
			if r.Kind != dsar.ReportFailed || r.Code != "no-key" {
				t.Errorf("ann's plan: %+v", r)
			}
			continue
		}
		if r.Kind != dsar.ReportEnded || r.Outcome != dsar.Found || len(r.Objects) != 1 {
			t.Fatalf("%s's plan: %+v", people[i], r)
		}
		plans[i] = &r.Objects[0]
	}
	for i, r := range ask(dsar.Erase) {
		if want := []dsar.ReportKind{dsar.ReportFailed, dsar.ReportEnded, dsar.ReportEnded}[i]; r.Kind != want {
			t.Errorf("%s's erasure: %+v", people[i], r)
		}
	}
	if left := d.column(t, "SELECT email FROM orders"); !slices.Equal(left, []string{"ann@example.com"}) {
		t.Errorf("%v are left", left)
	}
}

// TestFoundHereIsTold: what a system found itself is told it as such, and what others found,
// or the person gave, isn't.
func TestFoundHereIsTold(t *testing.T) {
	t.Parallel()
	d := sqliteDB(t, numberedUsersSchema+"; UPDATE users SET email = 'bob@example.com' WHERE id = 2")
	s := numberedUsers(t, d, "erase: delete")
	w, err := worker.New(s.m, s)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		known []worker.Identifier
		want  dsar.Outcome
	}{
		"found here": {foundHere("email ann@example.com", "small.member_no 2"), dsar.Incomplete},
		"given":      {ids("email ann@example.com", "small.member_no 2"), dsar.Gathered},
	} {
		desk := workertest.NewDesk(t)
		task := workertest.Seal(t, desk, dsar.Task{RequestID: "0f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11", System: "small", Action: dsar.Gather, Attempt: 1, Right: dsar.Access}, c.known)
		if r := reports(t, desk, w, task)[0]; r.Outcome != c.want {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
