package truth

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"go.yaml.in/yaml/v3"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/internal/core"
)

// scene is Habeas on some systems that a test describes, each with a database of its
// own unless it says otherwise.
type scene struct {
	*pipeline
	kind   kind
	stores map[string]*store // by system
}

// onBoth plays a test on SQLite and on PostgreSQL.
func onBoth(t *testing.T, play func(*scene)) {
	for _, k := range []kind{sqLite, postgreSQL} {
		t.Run(string(k), func(t *testing.T) {
			t.Parallel()
			play(newScene(t, k))
		})
	}
}

func newScene(t testing.TB, k kind) *scene {
	return &scene{kind: k, stores: map[string]*store{}, pipeline: newPipeline(newKit(t), t, 1)}
}

// system adds a system: its manifest, in which what isn't said is ordinary
// ([ordinary]), and what its database is made with, one statement a line or more. A
// system whose name was used before lives in the same database.
func (s *scene) system(text string, ddl ...string) *store {
	s.Helper()
	m := ordinary(s, text)
	db := s.stores[m.System]
	if db == nil {
		db = newStore(s, s.kind)
		s.stores[m.System] = db
	}
	s.in(db, m, ddl...)
	return db
}

// in adds a system that lives in a database which is there.
func (s *scene) in(db *store, m *manifest.Manifest, ddl ...string) {
	s.Helper()
	s.stores[m.System] = db
	for _, statement := range ddl {
		db.exec(statement)
	}
	s.sites = append(s.sites, site{manifest: m, source: db.source})
}

// ordinary reads a manifest in which everything that isn't said is ordinary: titles,
// abilities, purpose; datasets whose table has their name, whose key is id and that
// are deleted. A dataset's subject, via, anonymise and so on may stand beside its name,
// "issued_on: date" is written issued_on:date, and keep: P10Y keeps for ten years from
// issued_on on.
func ordinary(t testing.TB, text string) *manifest.Manifest {
	t.Helper()
	var m map[string]any
	if err := yaml.Unmarshal([]byte(text), &m); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	otherwise := func(of map[string]any, key string, value any) {
		if _, said := of[key]; !said {
			of[key] = value
		}
	}
	words := func(s any) map[string]any { return map[string]any{"en": s, "fr": s} }
	otherwise(m, "title", words(m["system"]))
	abilities := []any{"gather", "erase"}
	if m["finds"] != nil {
		abilities = []any{"resolve", "gather", "erase"}
	}
	otherwise(m, "abilities", abilities)
	otherwise(m, "needs", []any{"email"})
	below := map[string]any{}
	for _, key := range []string{"resolve", "technical", "schema"} {
		if value, said := m[key]; said {
			below[key] = value
			delete(m, key)
		}
	}
	m["sql"] = below
	for _, d := range m["datasets"].([]any) {
		d := d.(map[string]any)
		otherwise(d, "title", words(d["name"]))
		otherwise(d, "category", "identifiers")
		otherwise(d, "origin", "provided")
		if d["purposes"] == nil {
			otherwise(d, "purpose", words("To serve"))
			otherwise(d, "legal_basis", "contract")
		}
		otherwise(d, "storage", words("A year"))
		sql := map[string]any{"table": d["name"], "key": []any{"id"}, "erase": "delete"}
		for _, key := range []string{"table", "key", "via", "subject", "mentions", "ways", "erase", "why", "anonymise", "unless_shared", "cascades", "unlinks", "after", "restrict", "rectify", "technical", "map"} {
			if value, said := d[key]; said {
				sql[map[bool]string{true: "columns", false: key}[key == "map"]] = value
				delete(d, key)
			}
		}
		if _, said := sql["anonymise"]; said {
			sql["erase"] = "anonymise"
		}
		d["sql"] = sql
		var columns []any
		secrets, _ := d["secret"].(map[string]any)
		concepts, _ := d["concept"].(map[string]any)
		for _, c := range d["columns"].([]any) {
			name, typ, typed := strings.Cut(c.(string), ":")
			column := map[string]any{"name": name}
			if typed {
				column["type"] = typ
			}
			if secret, said := secrets[name]; said {
				column["secret"] = secret
			}
			if concept, said := concepts[name]; said {
				column["concept"] = concept
			}
			columns = append(columns, column)
		}
		delete(d, "secret")
		delete(d, "concept")
		d["columns"] = columns
		if period, said := d["keep"]; said {
			delete(d, "keep")
			d["retention"] = []any{map[string]any{"ground": "tax-records", "source": "a law", "title": words("Tax"), "column": "issued_on", "period": period}}
		}
	}
	full, err := yaml.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	read, err := manifest.Parse(fmt.Sprint(m["system"])+".yaml", full)
	if err != nil {
		t.Fatal(err)
	}
	if err := read.Resolve(purposes()); err != nil {
		t.Fatal(err)
	}
	if err := read.ResolveRecipients(recipients()); err != nil {
		t.Fatal(err)
	}
	return read
}

// purposes is the catalogue that cases' manifests name.
func purposes() manifest.Purposes {
	text := func(s string) manifest.Text { return manifest.Text{"en": s, "fr": s} }
	return manifest.Purposes{
		"run-account":   {Title: text("To run your account"), Basis: "contract"},
		"books":         {Title: text("To keep the books"), Basis: "legal-obligation"},
		"marketing":     {Title: text("To send you news"), Basis: "consent", Marks: []string{manifest.MarkMarketing}},
		"prospecting":   {Title: text("To find customers"), Basis: "legitimate-interest", Marks: []string{manifest.MarkMarketing}},
		"security":      {Title: text("To protect your account"), Basis: "legitimate-interest", Compelling: text("your account's security depends on it")},
		"against-fraud": {Title: text("To prevent fraud"), Basis: "legitimate-interest", Marks: []string{manifest.MarkProfiling}, Compelling: text("others would be cheated in your name")},
		"statistics":    {Title: text("To count visits"), Basis: "legitimate-interest"},
		"research":      {Title: text("To ask you"), Basis: "consent"},
		"selling":       {Title: text("To sell it"), Basis: "legitimate-interest", Marks: []string{manifest.MarkSale}},
	}
}

// recipients is the catalogue of those who receive data in cases.
func recipients() manifest.Recipients {
	text := func(s string) manifest.Text { return manifest.Text{"en": s, "fr": s} }
	by := func(way string) manifest.Told { return manifest.Told{By: way} }
	return manifest.Recipients{
		"carrier":    {Name: text("Quick Carrier"), Role: "third-party", Country: "GB", Safeguard: text("adequacy decision"), Told: by("hand")},
		"broker":     {Name: text("Data Broker"), Role: "third-party", Told: by("hand")},
		"host":       {Name: text("Cloud Host"), Role: "processor", Told: by("hand")},
		"publisher":  {Name: text("Review Publisher"), Role: "third-party", Told: by("hand")},
		"tax-office": {Name: text("Tax Office"), Role: "authority", Told: manifest.Told{By: manifest.TellNobody, Why: text("the law has it keep this")}},
	}
}

// mine are identifiers that a believed upstream has verified, written "email a@b".
func mine(ids ...string) event.Submitted {
	s := event.Submitted{Jurisdiction: "EEA", Source: "truth", Subject: event.Subject{Proven: []dsar.Check{dsar.CheckIdentity}}}
	for _, id := range ids {
		typ, value, _ := strings.Cut(id, " ")
		s.Subject.Identifiers = append(s.Subject.Identifiers, event.SubjectIdentifier{Type: dsar.IdentifierType(typ), Value: value, Verified: true})
	}
	return s
}

// asks has the person of some identifiers ask, all verified, and returns where the
// request stands when nothing moves any more.
func (s *scene) asks(right dsar.Right, ids ...string) core.State {
	s.Helper()
	return s.play(s.submits(right, ids...))
}

// submits hands in a request of a person all of whose identifiers are verified.
func (s *scene) submits(right dsar.Right, ids ...string) string {
	s.Helper()
	r := mine(ids...)
	r.Right = right
	return s.submit(r)
}

// completes has the person ask, and fails unless the request is completed.
func (s *scene) completes(right dsar.Right, ids ...string) answer {
	s.Helper()
	return s.completed(s.asks(right, ids...))
}

func (s *scene) completed(state core.State) answer {
	s.Helper()
	if state.Status != core.StatusCompleted {
		s.Fatalf("the request is %s: %s", state.Status, ends(state))
	}
	return s.read(state)
}

// said returns what explains how a task ended: in the open, and in its worker's words,
// which whoever reveals the request reads.
func (s *scene) said(state core.State, t *core.TaskState) string {
	s.Helper()
	said := t.End.Reason + " " + t.End.Cause.Said()
	if len(t.Words) == 0 {
		return said
	}
	keys, err := s.vault.Keys(s.ctx(), state.Accepted.RequestID)
	if err != nil {
		s.Fatal(err)
	}
	w, err := link.OpenWords(keys, t.Words)
	if err != nil {
		s.Fatal(err)
	}
	return strings.Join(append(w.Notes, said, w.Reason), " ")
}

// stops has the person ask, and fails unless the request then waits for a person
// because of one system, in a reason that has all of some words.
func (s *scene) stops(state core.State, system string, words ...string) {
	s.Helper()
	if state.Status != core.StatusNeedsAttention {
		s.Fatalf("the request is %s, and should wait for a person: %s", state.Status, ends(state))
	}
	for _, t := range state.Tasks {
		if t.System == system && t.Status == core.TaskIsFailed {
			for _, w := range words {
				if said := s.said(state, t); !strings.Contains(said, w) {
					s.Errorf("%s of %s failed (%s) without saying %q: %s", t.Action, system, t.End.Code, w, said)
				}
			}
			return
		}
	}
	s.Fatalf("%s didn't fail: %s", system, ends(state))
}

// ends tells how a request's tasks stand.
func ends(state core.State) string {
	var b strings.Builder
	for _, t := range state.Tasks {
		fmt.Fprintf(&b, "\n  %s %s: %s %s %s %s %+v", t.System, t.Action, t.Status, t.End.Outcome, t.End.Code, t.End.Reason, t.End.Counts)
	}
	return b.String()
}

// holds fails unless a query of a system's database gives exactly these texts.
func (s *scene) holds(system, query string, want ...string) {
	s.Helper()
	got := s.stores[system].list(query)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.Errorf("%s: %s: %v are there, and %v should be", system, query, got, want)
	}
}

// shows fails unless an answer's file of a dataset has exactly the rows of these ids.
func (s *scene) shows(a answer, system, dataset string, ids ...string) {
	s.Helper()
	if got := a.shown(s, system, dataset); !slices.Equal(got, ids) {
		s.Errorf("%s of %s: %v are shown, and %v should be", dataset, system, got, ids)
	}
}

// silentOn fails where an answer says any of some words, in whatever file.
func (s *scene) silentOn(a answer, words ...string) {
	s.Helper()
	for name, text := range a.files {
		for _, w := range words {
			if strings.Contains(strings.ToLower(text), strings.ToLower(w)) {
				s.Errorf("%s holds %q", name, w)
			}
		}
	}
}

// numbers fails unless the certificate says of a dataset how many were found, erased
// or anonymised, and retained.
func (s *scene) numbers(a answer, system, dataset string, found, erased, retained int64) {
	s.Helper()
	d := a.dataset(system, dataset)
	if d.Found != found || d.Erased+d.Anonymised+d.Gone != erased || d.kept() != retained {
		s.Errorf("%s of %s: the certificate says found %d, erased %d, anonymised %d, gone %d, retained %d; right are %d, %d, %d",
			dataset, system, d.Found, d.Erased, d.Anonymised, d.Gone, d.kept(), found, erased, retained)
	}
}

// refusedAtStart fails unless a system's worker doesn't start, with a reason that has
// all of some words.
func (s *scene) refusedAtStart(words ...string) {
	s.Helper()
	if s.start(mutant{}); s.refused == nil {
		s.Fatal("all workers start")
	}
	for _, w := range words {
		if !strings.Contains(s.refused.Error(), w) {
			s.Errorf("the worker doesn't start, and doesn't say %q: %v", w, s.refused)
		}
	}
}

// begin starts the services and workers, all of which must start.
func (s *scene) begin() {
	s.Helper()
	if s.start(mutant{}); s.refused != nil {
		s.Fatal(s.refused)
	}
}

// do applies a command to a request and returns its state when nothing moves any more.
func (s *scene) do(id string, c core.Command) core.State {
	s.Helper()
	if _, err := s.life.Do(s.ctx(), id, c); err != nil {
		s.Fatal(err)
	}
	return s.play(id)
}

// submit hands a request in at the door, and returns its id.
func (p *pipeline) submit(r event.Submitted) string {
	p.Helper()
	p.asked++
	r.RequestID = uuid.NewSHA1(uuid.NameSpaceOID, fmt.Append(nil, p.seed, p.asked)).String()
	r.ReceivedAt = p.now
	body, err := json.Marshal(r)
	p.must(err)
	if code, says := p.post("/v1/requests", body); code != 202 {
		p.Fatalf("seed %d: the door says %d: %s", p.seed, code, says)
	}
	p.ids = append(p.ids, r.RequestID)
	return r.RequestID
}

// served adds a system that a worker of its own serves.
func (s *scene) served(m *manifest.Manifest, impl any, options ...worker.Option) {
	s.sites = append(s.sites, site{manifest: m, impl: impl, options: options})
}
