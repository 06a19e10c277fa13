package audit_test

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/vault"
	"habeas.dev/services/internal/audit"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/sqlitejournal"
	"habeas.dev/services/internal/outbox"
	"habeas.dev/services/internal/pgtest"
	"habeas.dev/services/internal/rejected"
)

type alteration struct {
	what    string
	do      func(s *scene)
	code    string
	request string
}

// alterations are what somebody does who can write to the journal's database, the vault,
// the outbox or the mirror. Each is found, with the code, and the request where one is named.
var alterations = []alteration{
	{"the view for people shows something else", func(s *scene) {
		s.exec("DROP VIEW trace")
		s.exec("CREATE VIEW trace AS SELECT id, 1 AS version FROM request")
	}, "schema", ""},
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
	{"facts are written anew, with every hash", func(s *scene) { s.rewrite(answered, `"gathered"`, `"nothing-found"`) }, "leaf", answered},
	{"facts of what was forgotten are written anew, with every hash", func(s *scene) { s.rewrite(forgotten, `"gathered"`, `"nothing-found"`) }, "leaf", forgotten},
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
	{"an ended request is deleted everywhere, and its leaf has no owner", func(s *scene) { s.vanish(answered, "NULL", "NULL") }, "leaf-unowned", ""},
	{"an ended request is deleted everywhere, and its leaf is said to be another's", func(s *scene) {
		s.vanish(answered, num, "(SELECT l.version FROM leaf l JOIN request r ON r.num = l.request WHERE r.id = ?)", another, another)
	}, "leaf", another},
	{"a forgotten request is deleted everywhere in the journal", func(s *scene) { s.vanish(forgotten, "NULL", "NULL") }, "leaf-unowned", ""},
	{"keys of rejected records outlive their time", func(s *scene) {
		_, err := s.Vault.CreateKeys(s.Context(), rejected.KeySet(s.Now.AddDate(0, 0, -rejected.Days-2)))
		must(s, err)
	}, "rejected", ""},
	{"keys of a stranger who is no day's", func(s *scene) {
		_, err := s.Vault.CreateKeys(s.Context(), "rejected-always")
		must(s, err)
	}, "vault-stranger", "rejected-always"},
	{"a leaf loses its owner", func(s *scene) {
		s.exec("UPDATE leaf SET request = NULL, version = NULL WHERE request = "+num, answered)
	}, "leaf-unowned", ""},
	{"the first fact is taken away, and every version and hash is right", func(s *scene) { s.behead(answered) }, "fact", answered},
	{"facts that can't have happened, with every hash", func(s *scene) { s.rewrite(open, `"billing"`, `"nowhere"`) }, "row", open},
	{"facts whose data is no fact's, with every hash", func(s *scene) { s.rewrite(open, `{`, `[`) }, "unreadable", open},
	{"an open request is deleted everywhere in the journal", func(s *scene) {
		s.delete(open)
		s.exec("DELETE FROM request WHERE id = ?", open)
	}, "vault-stranger", open},
	{"the row's status", func(s *scene) { s.exec("UPDATE request SET status = 'completed' WHERE id = ?", open) }, "row", open},
	{"the row's assignee", func(s *scene) { s.exec("UPDATE request SET assignee = 'mallory' WHERE id = ?", open) }, "row", open},
	{"the row's right", func(s *scene) { s.exec(`UPDATE request SET "right" = 'erasure' WHERE id = ?`, open) }, "row", open},
	{"the row's due date", func(s *scene) { s.exec("UPDATE request SET due_at = NULL WHERE id = ?", answered) }, "row", answered},
	{"the row's timer", func(s *scene) { s.exec("UPDATE request SET wake_at = NULL WHERE id = ?", answered) }, "row", answered},
	{"what an ended row needs a person for", func(s *scene) { s.exec("UPDATE request SET needs = 'unknown' WHERE id = ?", answered) }, "row", answered},
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
	{"the last fact of an open request is cut off, with all that belongs to it", func(s *scene) { s.truncate(open, s.version(open)-1); s.rebuild() }, "head", open},
	{"an open request's facts are written anew, with all that belongs to them", func(s *scene) { s.rewrite(open, "billing", "bowling"); s.rebuild() }, "head", open},
	{"facts after a receipt are cut off, with all that belongs to them", func(s *scene) {
		must(s, s.Outbox.Delete(s.Context(), s.letter()))
		s.truncate(retained, s.version(retained)-1)
		s.rebuild()
	}, "head", retained},
	{"an open request is deleted from journal and vault", func(s *scene) {
		s.delete(open)
		s.exec("DELETE FROM request WHERE id = ?", open)
		must(s, s.Vault.Shred(s.Context(), open))
	}, "head", open},
	{"a place of the list of heads", func(s *scene) {
		s.exec("UPDATE heads SET heads = ? WHERE place = 1", journal.EncodeHeads([]journal.Head{{RequestID: open, Version: 1, Hash: bytes.Repeat([]byte{1}, 32)}}))
	}, "heads", ""},
	{"the last place of the list of heads is deleted, and its end made right", func(s *scene) {
		s.exec("DELETE FROM heads WHERE place > 1")
		s.exec("UPDATE heads_end SET size = 1, chain = (SELECT chain FROM heads WHERE place = 1)")
	}, "heads", ""},
	{"the first place of the list of heads is deleted", func(s *scene) { s.exec("DELETE FROM heads WHERE place = 1") }, "heads", ""},
	{"the last place of the list of heads is deleted", func(s *scene) { s.exec("DELETE FROM heads WHERE place = (SELECT size FROM heads_end)") }, "heads", ""},
	{"the list of heads is written anew", func(s *scene) { s.relist(open) }, "heads", ""},
	{"the list of heads is deleted, and its end", func(s *scene) {
		s.exec("DELETE FROM heads")
		s.exec("UPDATE heads_end SET size = 0, chain = ?", []byte{})
	}, "heads", ""},
	{"a request is kept from the list of heads", func(s *scene) {
		s.assign(open, "paul")
		s.exec("DELETE FROM unlisted")
	}, "unlisted", open},
	{"the signed end of the list of heads is removed", func(s *scene) { s.exec("DELETE FROM note WHERE name LIKE 'log-heads %'") }, "heads", ""},
	{"the signed end of the list of heads is another's", func(s *scene) {
		s.exec("UPDATE note SET data = ? WHERE name LIKE 'log-heads %'", []byte("x"))
	}, "heads", ""},
	{"the mirror's end of the list of heads is removed", func(s *scene) {
		must(s, s.Mirror.Delete(s.Context(), "log/privacy.example.com_log/heads"))
	}, "heads", ""},
	{"a search", func(s *scene) { s.exec("UPDATE search SET by = 'nobody' WHERE by = 'mallory'") }, "search", ""},
	{"a search is deleted", func(s *scene) { s.exec("DELETE FROM search WHERE by = 'mallory'") }, "search", ""},
	{"the first search is deleted", func(s *scene) { s.exec("DELETE FROM search WHERE place = 1") }, "search", ""},
	{"the last search is deleted", func(s *scene) { s.exec("DELETE FROM search WHERE place = 5") }, "search", ""},
	{"the last searches are deleted, and the end is made right", func(s *scene) {
		s.exec("DELETE FROM search WHERE place > 3")
		s.exec("UPDATE search_head SET size = 3, chain = (SELECT chain FROM search WHERE place = 3)")
	}, "search", ""},
	{"a search loses its place", func(s *scene) { s.exec("UPDATE search SET place = NULL WHERE by = 'mallory'") }, "search", ""},
	{"two searches are swapped", func(s *scene) {
		s.exec("UPDATE search SET place = 1000 WHERE place = 1")
		s.exec("UPDATE search SET place = 1 WHERE place = 2")
		s.exec("UPDATE search SET place = 2 WHERE place = 1000")
	}, "search", ""},
	{"a search is deleted, and the chain is written anew", func(s *scene) { s.rechain("mallory") }, "search", ""},
	{"all searches are deleted, and their end", func(s *scene) {
		s.exec("DELETE FROM search")
		s.exec("UPDATE search_head SET size = 0, chain = ?", []byte{})
	}, "search", ""},
	{"the signed end of the searches is removed", func(s *scene) { s.exec("DELETE FROM note WHERE name LIKE 'log-searches %'") }, "search", ""},
	{"the signed end of the searches is another's", func(s *scene) {
		s.exec("UPDATE note SET data = ? WHERE name LIKE 'log-searches %'", []byte("x"))
	}, "search", ""},
	{"a tile of the mirror is altered", func(s *scene) {
		must(s, s.Mirror.WriteAll(s.Context(), "log/privacy.example.com_log/tile/0/000.p/8", []byte("x"), nil))
	}, "mirror", ""},
	{"a tile of the mirror is deleted", func(s *scene) { must(s, s.Mirror.Delete(s.Context(), "log/privacy.example.com_log/tile/0/000.p/8")) }, "mirror", ""},
	{"the mirror's leaves are altered", func(s *scene) {
		must(s, s.Mirror.WriteAll(s.Context(), "log/privacy.example.com_log/tile/entries/000.p/8", bytes.Repeat([]byte{1}, 1<<20), nil))
	}, "mirror", ""},
	{"the mirror's end of the searches is removed", func(s *scene) { must(s, s.Mirror.Delete(s.Context(), "log/privacy.example.com_log/searches")) }, "search", ""},
	{"an answer is deleted", func(s *scene) { must(s, s.Outbox.Delete(s.Context(), outbox.AnswerName(answered))) }, "answer", answered},
	{"an answer is exchanged", func(s *scene) { s.put(outbox.AnswerName(answered), "") }, "answer", answered},
	{"a forgotten answer is there again", func(s *scene) { s.put(outbox.AnswerName(recordsGo), "x") }, "answer", recordsGo},
	{"a receipt of a forgotten answer", func(s *scene) { s.put(outbox.ReceiptName(recordsGo), "x") }, "answer", recordsGo},
	{"a key to a forgotten answer", func(s *scene) { s.put(outbox.KeyName(recordsGo), "x") }, "answer", recordsGo},
	{"who asked for who was forgotten", func(s *scene) { s.put(outbox.FollowerName(forgotten), "x") }, "answer", forgotten},
	{"an answer to an open request", func(s *scene) { s.put(outbox.AnswerName(open), "x") }, "planted", open},
	{"a key where nobody has made one", func(s *scene) { s.put(outbox.KeyName(answered), "x") }, "planted", answered},
	{"a receipt that nobody could open", func(s *scene) { s.put(outbox.ReceiptName(answered), "x") }, "planted", answered},
	{"a follower of who has asked for themselves", func(s *scene) { s.put(outbox.FollowerName(open), "x") }, "planted", open},
	{"a later certificate of no erasure", func(s *scene) { s.put(outbox.AddendumName(answered, 1), "x") }, "planted", answered},
	{"a later certificate far ahead", func(s *scene) { s.put(outbox.AddendumName(retained, 7), "x") }, "planted", retained},
	{"an object that Habeas has no such name for", func(s *scene) { s.put(answered+".exe", "x") }, "planted", answered},
	{"a receipt that was left is deleted", func(s *scene) {
		s.keyed(answered)
		must(s, s.Outbox.Delete(s.Context(), outbox.ReceiptName(answered)))
	}, "answer", answered},
	{"half of an answer lies there for days", func(s *scene) {
		s.put(outbox.AnswerName(answered)+".18a3f00c1b2d3e4f.tmp", "x")
		if s.Now = s.Now.Add(2 * outbox.UnfinishedFor); s.Now.Before(time.Now()) {
			s.Now = time.Now().Add(2*outbox.UnfinishedFor + time.Minute)
		}
	}, "unfinished", answered},
	{"a key that was revoked is there again", func(s *scene) {
		s.keyed(answered)
		_, err := s.Requests.Do(s.Context(), answered, core.ChangeAnswerKey{By: "agent", Reason: "they called", Revoke: true, Now: s.Now})
		must(s, err)
	}, "planted", answered},
	{"a letter is altered after its request's records have ended", func(s *scene) { s.put(s.late(), "Dear Tim") }, "letter", recordsGo},
	{"a letter is deleted after its request's records have ended", func(s *scene) { must(s, s.Outbox.Delete(s.Context(), s.late())) }, "letter", recordsGo},
	{"a letter is deleted", func(s *scene) { must(s, s.Outbox.Delete(s.Context(), s.letter())) }, "letter", retained},
	{"a letter is altered", func(s *scene) { must(s, s.Outbox.WriteAll(s.Context(), s.letter(), []byte("Dear Tim"), nil)) }, "letter", retained},
	{"a sealed letter is altered", func(s *scene) {
		text, err := s.Outbox.ReadAll(s.Context(), s.letter())
		must(s, err)
		text[len(text)-1] ^= 1
		s.put(s.letter(), string(text))
	}, "letter", retained},
	{"a letter of which no fact tells", func(s *scene) {
		must(s, s.Outbox.WriteAll(s.Context(), outbox.LetterName(answered, 1, core.LetterRefusal, "en"), []byte("x"), nil))
	}, "letter", answered},
	{"a letter to who was forgotten", func(s *scene) {
		must(s, s.Outbox.WriteAll(s.Context(), outbox.LetterName(forgotten, 1, core.LetterConfirmation, "en"), []byte("x"), nil))
	}, "letter", forgotten},
	{"a gathered object is deleted", func(s *scene) { must(s, s.Vault.DeleteObjects(s.Context(), answered, "billing/gather/")) }, "object", answered},
	{"a gathered object is altered", func(s *scene) { s.spoil(answered) }, "object", answered},
	{"a gathered object is another's", func(s *scene) {
		must(s, os.Rename(s.pack(another), s.pack(answered)))
	}, "object", answered},
	{"a stranger's answer", func(s *scene) {
		must(s, s.Outbox.WriteAll(s.Context(), "10000000-0000-4000-8000-00000000000f.zip.age", []byte("x"), nil))
	}, "outbox-stranger", "10000000-0000-4000-8000-00000000000f"},
	{"keys are destroyed, and no fact says so", func(s *scene) { must(s, s.Vault.End(s.Context(), answered, vault.RecordsRoot)) }, "keys", answered},
	{"keys of a stranger", func(s *scene) {
		_, err := s.Vault.CreateKeys(s.Context(), "10000000-0000-4000-8000-00000000000f")
		must(s, err)
	}, "vault-stranger", "10000000-0000-4000-8000-00000000000f"},
}

// unreadables are cells that hold what their column can't, in either store; each is named by
// table and key.
var unreadables = []struct{ table, sqlite, postgresql string }{
	{"request", "UPDATE request SET overdue = 7 WHERE id = ?", "UPDATE request SET received_at = 'infinity' WHERE id = ?"},
	{"fact", "UPDATE fact SET at = 'never' WHERE version = 3 AND request = " + num, "UPDATE fact SET at = 'infinity' WHERE version = 3 AND request = " + num},
	{"leaf", "UPDATE leaf SET version = 'one' WHERE request = " + num, ""},
}

// checkUnreadable: a cell that can't be read is a finding, and ends nothing.
func checkUnreadable(t *testing.T, newOne func(t *testing.T) *scene) {
	for _, u := range unreadables {
		t.Run("unreadable_"+u.table, func(t *testing.T) {
			t.Parallel()
			s := newOne(t)
			statement := u.postgresql
			if _, ok := s.Journal.(*sqlitejournal.Store); ok {
				statement = u.sqlite
				s.exec("DROP VIEW trace")
				s.exec("CREATE TABLE loose AS SELECT * FROM " + u.table) // it holds anything
				s.exec("DROP TABLE " + u.table)
				s.exec("ALTER TABLE loose RENAME TO " + u.table)
			}
			if statement == "" {
				t.Skip("its columns hold nothing that can't be read")
			}
			s.exec(statement, answered)
			s.exec("UPDATE request SET assignee = 'mallory' WHERE id = ?", another)
			must(t, s.Outbox.WriteAll(t.Context(), "stranger", []byte("x"), nil))
			r := s.audit(t)
			for what, found := range map[string]func(f audit.Finding) bool{
				"the cell": func(f audit.Finding) bool {
					return f.Code == "unreadable" && f.Request == answered && strings.Contains(f.Text, "able "+u.table+", row ")
				},
				"another request's row": func(f audit.Finding) bool { return f.Code == "row" && f.Request == another },
				"the outbox":            func(f audit.Finding) bool { return f.Code == "outbox-stranger" },
			} {
				if !slices.ContainsFunc(r.Findings, found) {
					t.Errorf("%s isn't found: %v", what, r.Findings)
				}
			}
		})
	}
}

func check(t *testing.T, newOne func(t *testing.T) *scene) {
	checkUnreadable(t, newOne)
	t.Run("nothing", func(t *testing.T) {
		t.Parallel()
		s := newOne(t)
		r := s.audit(t)
		if len(r.Findings) > 0 || r.Requests != 6 || r.Leaves != 8 || r.Searches != 5 || r.Destroyed != 1 {
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
		check(t, func(t *testing.T) *scene { return inPostgreSQL(t, server) })
	})
}
