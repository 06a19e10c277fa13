package audit_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/note"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/audit"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/pgjournal"
	"habeas.dev/services/internal/journal/sqlitejournal"
	"habeas.dev/services/internal/keeper/keepertest"
	"habeas.dev/services/internal/pgtest"
	"habeas.dev/services/internal/receipt"
	"habeas.dev/services/internal/signkey"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The requests of the journal that is audited.
const (
	answered  = "10000000-0000-4000-8000-000000000001" // an access, records still there
	recordsGo = "10000000-0000-4000-8000-000000000002" // an access, records forgotten
	forgotten = "10000000-0000-4000-8000-000000000003" // an access, all forgotten
	retained  = "10000000-0000-4000-8000-000000000004" // an erasure of which something had to stay
	open      = "10000000-0000-4000-8000-000000000005" // nobody has answered yet
	another   = "10000000-0000-4000-8000-000000000006" // another access, as the first
)

// scene is a journal with requests in every state, and a way into its database.
type scene struct {
	*keepertest.House
	key  note.Verifier
	exec func(statement string, args ...any)
}

func newScene(t *testing.T, j journal.Store, exec func(string, ...any)) *scene {
	t.Helper()
	h := keepertest.New(t, t.TempDir(), j)
	invoices := dsar.Counts{Dataset: "invoices", Found: 1}
	h.Request(forgotten, dsar.Access, "old@example.com", invoices)
	h.Tick(h.Now)
	h.Now = h.Now.AddDate(1, 11, 20)
	h.Request(recordsGo, dsar.Access, "anna@example.com", invoices)
	h.Tick(h.Now)
	h.Now = h.Now.AddDate(0, 2, 0)
	h.Request(answered, dsar.Access, "sam@example.com", invoices)
	h.Request(another, dsar.Access, "lea@example.com", invoices)
	h.Request(retained, dsar.Erasure, "kim@example.com", dsar.Counts{Dataset: "invoices", Found: 1, Retained: []dsar.Retention{{Records: 1, Ground: "tax", Until: h.Now.AddDate(8, 0, 0)}}})
	_, err := h.Requests.Accept(t.Context(), core.Accepted{RequestID: open, Right: dsar.Access, Jurisdiction: "EEA", ReceivedAt: h.Now, AcceptedAt: h.Now, Source: "test", Digest: "d",
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: "f", Sealed: []byte("x"), Assurance: dsar.AssuranceVerified}}, Keep: &core.Keep{AnswerDays: 1, AccountabilityMonths: 1},
		Systems: []dsar.System{{Name: "billing", Abilities: []dsar.Action{dsar.Gather}, Needs: []dsar.IdentifierType{"email"}}}})
	must(t, err)
	_, err = h.Vault.CreateKeys(t.Context(), open)
	must(t, err)
	h.Tick(h.Now)
	key, err := signkey.Create(filepath.Join(t.TempDir(), "k"), "privacy.example.com/log")
	must(t, err)
	l, err := receipt.NewLog(receipt.Config{Journal: j, Key: key, Mirror: h.Mirror})
	must(t, err)
	_, err = l.Publish(t.Context())
	must(t, err)
	v, err := note.NewVerifier(key.Verifier)
	must(t, err)
	return &scene{h, v, exec}
}

func (s *scene) audit(t *testing.T) audit.Report {
	t.Helper()
	r, err := audit.Run(t.Context(), audit.Config{Journal: s.Journal, Vault: s.Vault, Outbox: s.Outbox, Mirror: s.Mirror, Log: s.key, Parallel: 2})
	must(t, err)
	return r
}

const num = "(SELECT num FROM request WHERE id = ?)"

// truncate cuts a request's last facts off, as somebody does who knows of rows and hashes.
func (s *scene) truncate(id string, keep int) {
	s.exec("UPDATE request SET version = ?, hash = (SELECT hash FROM fact WHERE request = "+num+" AND version = ?) WHERE id = ?", keep, id, keep, id)
	s.exec("DELETE FROM fact WHERE request = "+num+" AND version > ?", id, keep)
}

// version returns a request's version.
func (s *scene) version(id string) int {
	row, err := s.Journal.Row(s.Context(), id)
	must(s, err)
	return row.Version
}

// delete removes a request from every table that names it.
func (s *scene) delete(id string) {
	for _, table := range []string{"fact", "fingerprint"} {
		s.exec("DELETE FROM "+table+" WHERE request = "+num, id)
	}
}

// TestFingerprintsAreCounted: without the vault nobody can tell whose fingerprints they
// are, and how many there are is held against the facts.
func TestFingerprintsAreCounted(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		statement string
		findings  int
	}{
		"nothing": {"UPDATE fingerprint SET request = request WHERE request = " + num, 0},
		"deleted": {"DELETE FROM fingerprint WHERE request = " + num, 1},
		"added":   {"INSERT INTO fingerprint (fingerprint, request) VALUES ('x', " + num + ")", 1},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := inSQLite(t)
			s.exec(c.statement, answered)
			r, err := audit.Run(t.Context(), audit.Config{Journal: s.Journal})
			must(t, err)
			if len(r.Findings) != c.findings || c.findings > 0 && (r.Findings[0].Code != "fingerprint" || r.Findings[0].Request != answered) {
				t.Errorf("%+v", r.Findings)
			}
		})
	}
}

type alteration struct {
	what    string
	do      func(s *scene)
	code    string
	request string
}

// alterations are what somebody does who can write to the journal's database, the vault,
// the outbox or the mirror. Each is found, with the code, and the request where one is named.
var alterations = []alteration{
	{"a fact's data", func(s *scene) {
		s.exec("UPDATE fact SET data = ? WHERE request = "+num+" AND version = 2", []byte("{}"), answered)
	}, "chain", answered},
	{"a fact's type", func(s *scene) {
		s.exec("UPDATE fact SET type = 'task.parked' WHERE request = "+num+" AND version = 3", answered)
	}, "chain", answered},
	{"a fact's hash", func(s *scene) {
		s.exec("UPDATE fact SET hash = ? WHERE request = "+num+" AND version = 3", bytes.Repeat([]byte{1}, 32), answered)
	}, "chain", answered},
	{"a fact's time", func(s *scene) {
		s.exec("UPDATE fact SET at = (SELECT f.at FROM fact f WHERE f.request = "+num+" AND f.version = 1) WHERE request = "+num+" AND version = 3", forgotten, answered)
	}, "chain", answered},
	{"a fact in the middle is deleted", func(s *scene) { s.exec("DELETE FROM fact WHERE request = "+num+" AND version = 3", answered) }, "chain", answered},
	{"the last fact is deleted", func(s *scene) {
		s.exec("DELETE FROM fact WHERE request = "+num+" AND version = ?", answered, s.version(answered))
	}, "chain", answered},
	{"the last facts are cut off, and the row is made right", func(s *scene) { s.truncate(answered, 4) }, "leaf", answered},
	{"the receipt is cut off, and the row is made right", func(s *scene) { s.truncate(answered, s.version(answered)-1) }, "leaf", answered},
	{"an open request's last facts are cut off, and the head is made right", func(s *scene) { s.truncate(open, s.version(open)-1) }, "row", open},
	{"two facts are swapped", func(s *scene) {
		s.exec("UPDATE fact SET version = 1000 WHERE request = "+num+" AND version = 2", answered)
		s.exec("UPDATE fact SET version = 2 WHERE request = "+num+" AND version = 3", answered)
		s.exec("UPDATE fact SET version = 3 WHERE request = "+num+" AND version = 1000", answered)
	}, "chain", answered},
	{"two requests' facts are exchanged", func(s *scene) {
		s.exec("UPDATE fact SET request = -1 WHERE request = "+num, answered)
		s.exec("UPDATE fact SET request = "+num+" WHERE request = "+num, answered, another)
		s.exec("UPDATE fact SET request = "+num+" WHERE request = -1", another)
	}, "chain", answered},
	{"a request's row is deleted", func(s *scene) { s.exec("DELETE FROM request WHERE id = ?", answered) }, "stray", ""},
	{"an ended request is deleted from row, facts and fingerprints", func(s *scene) {
		s.delete(answered)
		s.exec("DELETE FROM request WHERE id = ?", answered)
	}, "stray", ""},
	{"and from the leaves' owners", func(s *scene) {
		s.delete(answered)
		s.exec("UPDATE leaf SET request = NULL, version = NULL WHERE request = "+num, answered)
		s.exec("DELETE FROM request WHERE id = ?", answered)
	}, "vault-stranger", answered},
	{"an open request is deleted everywhere in the journal", func(s *scene) {
		s.delete(open)
		s.exec("DELETE FROM request WHERE id = ?", open)
	}, "vault-stranger", open},
	{"the row's status", func(s *scene) { s.exec("UPDATE request SET status = 'completed' WHERE id = ?", open) }, "row", open},
	{"the row's assignee", func(s *scene) { s.exec("UPDATE request SET assignee = 'mallory' WHERE id = ?", open) }, "row", open},
	{"the row's right", func(s *scene) { s.exec(`UPDATE request SET "right" = 'erasure' WHERE id = ?`, open) }, "row", open},
	{"the row's due date", func(s *scene) { s.exec("UPDATE request SET due_at = NULL WHERE id = ?", answered) }, "row", answered},
	{"the row's timer", func(s *scene) { s.exec("UPDATE request SET wake_at = NULL WHERE id = ?", answered) }, "row", answered},
	{"the row's version", func(s *scene) { s.exec("UPDATE request SET version = version + 1 WHERE id = ?", answered) }, "chain", answered},
	{"the row's hash", func(s *scene) {
		s.exec("UPDATE request SET hash = ? WHERE id = ?", bytes.Repeat([]byte{1}, 32), answered)
	}, "chain", answered},
	{"a fingerprint is deleted", func(s *scene) { s.exec("DELETE FROM fingerprint WHERE request = "+num, answered) }, "fingerprint", answered},
	{"a fingerprint is added", func(s *scene) {
		s.exec("INSERT INTO fingerprint (fingerprint, request) VALUES ('x', "+num+")", answered)
	}, "fingerprint", answered},
	{"a fingerprint is another's", func(s *scene) {
		s.exec("UPDATE fingerprint SET request = "+num+" WHERE request = "+num, answered, another)
	}, "fingerprint", another},
	{"a fingerprint of what was forgotten is there again", func(s *scene) {
		s.exec("INSERT INTO fingerprint (fingerprint, request) VALUES ('x', "+num+")", forgotten)
	}, "fingerprint", forgotten},
	{"a leaf", func(s *scene) { s.exec("UPDATE leaf SET data = ? WHERE num = 1", []byte("another")) }, "log", ""},
	{"the last leaf is deleted", func(s *scene) { s.exec("DELETE FROM leaf WHERE num = (SELECT max(num) FROM leaf)") }, "log", ""},
	{"a leaf in the middle is deleted", func(s *scene) { s.exec("DELETE FROM leaf WHERE num = 2") }, "log", ""},
	{"two leaves are swapped", func(s *scene) {
		s.exec("UPDATE leaf SET num = 1000 WHERE num = 0")
		s.exec("UPDATE leaf SET num = 0 WHERE num = 1")
		s.exec("UPDATE leaf SET num = 1 WHERE num = 1000")
	}, "log", ""},
	{"two leaves' owners are swapped", func(s *scene) {
		s.exec("UPDATE leaf SET request = -1 WHERE request = "+num, answered)
		s.exec("UPDATE leaf SET request = "+num+" WHERE request = "+num, answered, another)
		s.exec("UPDATE leaf SET request = "+num+" WHERE request = -1", another)
	}, "leaf", answered},
	{"a hash of the tree", func(s *scene) { s.exec("UPDATE tree SET hash = ? WHERE num = 0", bytes.Repeat([]byte{1}, 32)) }, "log", ""},
	{"a hash of the tree is deleted", func(s *scene) { s.exec("DELETE FROM tree WHERE num = 2") }, "log", ""},
	{"the checkpoint is removed", func(s *scene) { s.exec("DELETE FROM note WHERE name LIKE 'log %'") }, "checkpoint", ""},
	{"the checkpoint is another's", func(s *scene) { s.exec("UPDATE note SET data = ? WHERE name LIKE 'log %'", []byte("x")) }, "checkpoint", ""},
	{"the log is empty, and whole", func(s *scene) {
		for _, table := range []string{"leaf", "tree"} {
			s.exec("DELETE FROM " + table)
		}
		s.exec("UPDATE " + s.sizeTable())
	}, "checkpoint", ""},
	{"the mirror is removed", func(s *scene) { must(s, s.Mirror.Delete(s.Context(), "log/privacy.example.com_log/checkpoint")) }, "checkpoint", ""},
	{"an answer is deleted", func(s *scene) { must(s, s.Outbox.Delete(s.Context(), answered)) }, "answer", answered},
	{"an answer is exchanged", func(s *scene) { must(s, s.Outbox.WriteAll(s.Context(), answered, nil, nil)) }, "answer", answered},
	{"a forgotten answer is there again", func(s *scene) { must(s, s.Outbox.WriteAll(s.Context(), recordsGo, []byte("x"), nil)) }, "answer", recordsGo},
	{"a stranger's answer", func(s *scene) {
		must(s, s.Outbox.WriteAll(s.Context(), "10000000-0000-4000-8000-00000000000f.zip.age", []byte("x"), nil))
	}, "outbox-stranger", "10000000-0000-4000-8000-00000000000f"},
	{"keys are destroyed, and no fact says so", func(s *scene) { must(s, s.Vault.End(s.Context(), answered, vault.RecordsRoot)) }, "keys", answered},
	{"keys of a stranger", func(s *scene) {
		_, err := s.Vault.CreateKeys(s.Context(), "10000000-0000-4000-8000-00000000000f")
		must(s, err)
	}, "vault-stranger", "10000000-0000-4000-8000-00000000000f"},
}

// sizeTable returns how the log's size is set to nothing in this database.
func (s *scene) sizeTable() string {
	if _, ok := s.Journal.(*sqlitejournal.Store); ok {
		return "counter SET leaf = 0"
	}
	return "tree_size SET size = 0"
}

func check(t *testing.T, newOne func(t *testing.T) *scene) {
	t.Run("nothing", func(t *testing.T) {
		t.Parallel()
		s := newOne(t)
		r := s.audit(t)
		if len(r.Findings) > 0 || r.Requests != 6 || r.Leaves != 8 {
			t.Errorf("%+v", r)
		}
	})
	for _, a := range alterations {
		t.Run(strings.ReplaceAll(a.what, " ", "_"), func(t *testing.T) {
			t.Parallel()
			s := newOne(t)
			a.do(s)
			r := s.audit(t)
			if !slices.ContainsFunc(r.Findings, func(f audit.Finding) bool { return f.Code == a.code && f.Request == a.request }) {
				t.Errorf("%v; want %s of %s", r.Findings, a.code, a.request)
			}
		})
	}
}

// inSQLite returns a scene in a file.
func inSQLite(t *testing.T) *scene {
	t.Helper()
	path := filepath.Join(t.TempDir(), "journal.db")
	j, err := sqlitejournal.Open(t.Context(), sqlitejournal.Config{Path: path})
	must(t, err)
	t.Cleanup(func() { _ = j.Close() })
	return newScene(t, j, func(statement string, args ...any) {
		db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(10000)")
		must(t, err)
		defer db.Close()
		_, err = db.ExecContext(t.Context(), statement, args...)
		must(t, err)
	})
}

// TestAlterations makes each alteration in SQLite: each is found and named.
func TestAlterations(t *testing.T) {
	t.Parallel()
	check(t, inSQLite)
}

// TestAlterationsOfPostgreSQL makes each alteration in PostgreSQL.
func TestAlterationsOfPostgreSQL(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	t.Run("each", func(t *testing.T) {
		check(t, func(t *testing.T) *scene {
			url := server.Database(t)
			j, err := pgjournal.Open(t.Context(), pgjournal.Config{URL: url})
			must(t, err)
			t.Cleanup(func() { _ = j.Close() })
			return newScene(t, j, func(statement string, args ...any) {
				c, err := pgx.Connect(t.Context(), url)
				must(t, err)
				defer c.Close(context.WithoutCancel(t.Context()))
				for i := 1; strings.Contains(statement, "?"); i++ {
					statement = strings.Replace(statement, "?", fmt.Sprintf("$%d", i), 1)
				}
				_, err = c.Exec(t.Context(), statement, args...)
				must(t, err)
			})
		})
	})
}

// TestExport: what is exported is enough to verify every chain with other tools.
func TestExport(t *testing.T) {
	t.Parallel()
	j, err := sqlitejournal.Open(t.Context(), sqlitejournal.Config{Path: filepath.Join(t.TempDir(), "journal.db")})
	must(t, err)
	t.Cleanup(func() { _ = j.Close() })
	s := newScene(t, j, nil)
	var out bytes.Buffer
	r, err := audit.Run(t.Context(), audit.Config{Journal: s.Journal, Log: s.key, Mirror: s.Mirror, Export: &out})
	must(t, err)
	facts := map[string][]journal.Fact{}
	kinds := map[string]int{}
	for line := range strings.Lines(out.String()) {
		var l struct {
			Kind, Request, Type string
			Version             int
			At                  time.Time
			Data, Hash          []byte
		}
		must(t, json.Unmarshal([]byte(line), &l))
		if kinds[l.Kind]++; l.Kind == "fact" {
			facts[l.Request] = append(facts[l.Request], journal.Fact{RequestID: l.Request, Version: l.Version, Type: l.Type, At: l.At, Data: l.Data, Hash: l.Hash})
		}
	}
	if int64(kinds["fact"]) != r.Facts || kinds["request"] != 6 || int64(kinds["leaf"]) != r.Leaves || kinds["checkpoint"] != 2 {
		t.Errorf("%v of %+v", kinds, r)
	}
	for id, chain := range facts {
		if err := journal.VerifyChain(chain); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}
