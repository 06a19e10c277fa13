package audit_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"gocloud.dev/blob"
	"golang.org/x/mod/sumdb/note"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/audit"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/pgjournal"
	"habeas.dev/services/internal/journal/sqlitejournal"
	"habeas.dev/services/internal/keeper/keepertest"
	"habeas.dev/services/internal/letter"
	"habeas.dev/services/internal/lifecycle"
	"habeas.dev/services/internal/outbox"
	"habeas.dev/services/internal/pgtest"
	"habeas.dev/services/internal/receipt"
	"habeas.dev/services/internal/rejected"
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
	tooLarge  = "10000000-0000-4000-8000-000000000007" // never taken in: its keys are destroyed
)

// scene is a journal with requests in every state, and a way into its database.
type scene struct {
	*keepertest.House
	key    note.Verifier
	signer signkey.Key
	exec   func(statement string, args ...any)
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
	s := &scene{h, v, key, exec}
	s.write(retained, "Dear Kim")
	_, err = h.Vault.CreateKeys(t.Context(), rejected.KeySet(h.Now))
	must(t, err)
	must(t, h.Vault.Shred(t.Context(), tooLarge))
	for i, by := range []string{"lea", "paul", "lea", "mallory", "lea"} {
		must(t, j.AddSearch(t.Context(), journal.Search{At: h.Now, By: by, Hash: "whom", Found: i}))
	}
	must(t, l.SignSearches(t.Context(), false))
	must(t, l.SignHeads(t.Context(), false))
	s.assign(open, "lea")
	must(t, l.SignHeads(t.Context(), false))
	return s
}

func (s *scene) audit(t *testing.T) audit.Report {
	t.Helper()
	r, err := audit.Run(t.Context(), audit.Config{Journal: s.Journal, Vault: s.Vault, Outbox: s.Outbox, Mirror: s.Mirror, Log: s.key, Now: s.Now, Parallel: 2,
		Answer: func(context.Context, string, dsar.Object) error { return nil }})
	must(t, err)
	return r
}

const num = "(SELECT num FROM request WHERE id = ?)"

// truncate cuts a request's last facts off, as somebody does who knows of rows and hashes.
func (s *scene) truncate(id string, keep int) {
	s.exec("UPDATE request SET version = ?, hash = (SELECT hash FROM fact WHERE request = "+num+" AND version = ?) WHERE id = ?", keep, id, keep, id)
	s.exec("DELETE FROM fact WHERE request = "+num+" AND version > ?", id, keep)
}

// rewrite writes a request's facts anew with another word in them, and makes every hash and
// the row's head right, as docs/audit.md says how.
func (s *scene) rewrite(id, word, other string) {
	facts, err := s.Journal.Facts(s.Context(), id, 1)
	must(s, err)
	var prev []byte
	changed := false
	for i := range facts {
		f := &facts[i]
		data := bytes.ReplaceAll(f.Data, []byte(word), []byte(other))
		changed = changed || !bytes.Equal(data, f.Data)
		f.Data = data
		prev = journal.NewChain().Next(nil, prev, f)
		s.exec("UPDATE fact SET data = ?, hash = ? WHERE request = "+num+" AND version = ?", data, prev, id, f.Version)
	}
	if !changed {
		s.Fatalf("no fact of %s has %q", id, word)
	}
	s.exec("UPDATE request SET hash = ? WHERE id = ?", prev, id)
}

// behead takes a request's first fact away, and makes every version and hash right.
func (s *scene) behead(id string) {
	facts, err := s.Journal.Facts(s.Context(), id, 2)
	must(s, err)
	s.exec("DELETE FROM fact WHERE request = "+num+" AND version = 1", id)
	var prev []byte
	for _, f := range facts {
		f.Version--
		prev = journal.NewChain().Next(nil, prev, &f)
		s.exec("UPDATE fact SET version = ?, hash = ? WHERE request = "+num+" AND version = ?", f.Version, prev, id, f.Version+1)
	}
	s.exec("UPDATE request SET hash = ?, version = version - 1 WHERE id = ?", prev, id)
}

// rechain deletes what somebody searched, and makes every place and hash right.
func (s *scene) rechain(by string) {
	links, err := s.Journal.SearchLinks(s.Context(), 1, 0)
	must(s, err)
	s.exec("DELETE FROM search WHERE by = ?", by)
	var chain []byte
	place := int64(0)
	for _, l := range links {
		if l.By != by {
			place++
			chain = journal.NextSearch(chain, place, l.Search)
			s.exec("UPDATE search SET place = ?, chain = ? WHERE place = ?", place, chain, l.Place)
		}
	}
	s.exec("UPDATE search_head SET size = ?, chain = ?", place, chain)
}

// rebuild makes every row what its facts say, as habeas journal rebuild does.
func (s *scene) rebuild() {
	_, _, _, err := lifecycle.Rebuild(s.Context(), s.Journal, false, func(string, int) {})
	must(s, err)
}

// assign gives a request into somebody's hand: a fact more.
func (s *scene) assign(id, to string) {
	_, err := s.Requests.Do(s.Context(), id, core.Assign{By: "paul", To: to, Now: s.Now})
	must(s, err)
}

// relist takes a request out of the list of heads, and makes every hash and the end right.
func (s *scene) relist(without string) {
	links, err := s.Journal.HeadsLinks(s.Context(), 1, 0)
	must(s, err)
	var chain []byte
	for _, l := range links {
		heads, _ := journal.DecodeHeads(l.Heads)
		left := journal.EncodeHeads(slices.DeleteFunc(heads, func(h journal.Head) bool { return h.RequestID == without }))
		chain = journal.NextHeads(chain, l.Place, left)
		s.exec("UPDATE heads SET heads = ?, chain = ? WHERE place = ?", append([]byte{}, left...), chain, l.Place)
	}
	s.exec("UPDATE heads_end SET chain = ?", chain)
}

// letter returns the name of the letter in the outbox.
func (s *scene) letter() string {
	list := s.Outbox.List(&blob.ListOptions{Prefix: outbox.Letters})
	o, err := list.Next(s.Context())
	must(s, err)
	return o.Key
}

// pack returns the file of a request's sealed objects, and spoil alters its last byte.
func (s *scene) pack(id string) string { return filepath.Join(s.Dir, "objects/requests", id) }

func (s *scene) spoil(id string) {
	text, err := os.ReadFile(s.pack(id))
	must(s, err)
	at := bytes.LastIndex(text, []byte("billing/gather/1-0a0b0c0d")) + 40
	text[at] ^= 1
	must(s, os.WriteFile(s.pack(id), text, 0o600))
}

// version returns a request's version.
func (s *scene) version(id string) int {
	row, err := s.Journal.Row(s.Context(), id)
	must(s, err)
	return row.Version
}

// put writes an object into the outbox, as whoever can write there.
func (s *scene) put(name, text string) {
	must(s, s.Outbox.WriteAll(s.Context(), name, []byte(text), nil))
}

// write leaves a letter to a request's person, sealed as one that was mailed, and notes it.
func (s *scene) write(id, text string) (name string) {
	state, err := s.Requests.State(s.Context(), id)
	must(s, err)
	o := state.Occasions[len(state.Occasions)-1]
	name = outbox.LetterName(id, o.Cause, o.Letter, "en")
	keys, err := s.Vault.Keys(s.Context(), id)
	must(s, err)
	sealed, err := letter.Seal(keys, text)
	must(s, err)
	s.put(name, string(sealed))
	digest, err := keys.Digest([]byte(text))
	must(s, err)
	_, err = s.Requests.Do(s.Context(), id, core.NoteLetter{LetterSent: core.LetterSent{Letter: o.Letter, Language: "en", Cause: o.Cause, Channel: core.ChannelMail, Digest: digest, Moment: core.Moment{At: s.Now}}})
	must(s, err)
	return name
}

// keyed has somebody else than Habeas open a request's answer, and its receipt left for them.
func (s *scene) keyed(id string) {
	s.put(outbox.KeyName(id), "key")
	s.put(outbox.ReceiptName(id), "receipt")
	for _, c := range []core.Command{core.ChangeAnswerKey{By: "agent", Reason: "they called", Now: s.Now}, core.LeaveReceipt{Object: outbox.ReceiptName(id), Now: s.Now}} {
		_, err := s.Requests.Do(s.Context(), id, c)
		must(s, err)
	}
}

// late leaves a letter of a request whose records have ended.
func (s *scene) late() string { return s.write(recordsGo, "Dear Anna") }

// delete removes a request from every table that names it.
func (s *scene) delete(id string) {
	for _, table := range []string{"fact", "fingerprint"} {
		s.exec("DELETE FROM "+table+" WHERE request = "+num, id)
	}
}

// sizeTable returns how the log's size is set to nothing in this database.
func (s *scene) sizeTable() string {
	if _, ok := s.Journal.(*sqlitejournal.Store); ok {
		return "counter SET leaf = 0"
	}
	return "tree_size SET size = 0"
}

// vanish deletes a request from journal, vault and outbox, and gives its leaf another owner.
func (s *scene) vanish(id, owner, version string, args ...any) {
	s.exec("UPDATE leaf SET request = "+owner+", version = "+version+" WHERE request = "+num, append(args, id)...)
	s.delete(id)
	s.exec("DELETE FROM request WHERE id = ?", id)
	if _, ok := s.Journal.(*sqlitejournal.Store); ok {
		s.exec("UPDATE counter SET request = (SELECT count(*) FROM request)")
	}
	must(s, outbox.DeleteAnswer(s.Context(), s.Outbox, id, 0))
	must(s, os.RemoveAll(filepath.Join(s.Dir, "keys/keys", id+".roots")))
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

// inPostgreSQL returns a scene in a database of a server.
func inPostgreSQL(t *testing.T, server *pgtest.Server) *scene {
	t.Helper()
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
}
