package sqlsystem

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
)

// TestFulltextOf: the text of a virtual table says whether it is a full-text index, and of what.
func TestFulltextOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"CREATE VIRTUAL TABLE f USING fts5(body)":                                                         "",
		"CREATE VIRTUAL TABLE f USING fts5(body, content='')":                                             "",
		"create virtual table if not exists f using FTS5 ( body, content = 'Notes', content_rowid='id' )": "notes",
		`CREATE VIRTUAL TABLE f USING fts4(content="notes", body)`:                                        "notes",
		"CREATE VIRTUAL TABLE f USING fts5(body, content=notes)":                                          "notes",
	} {
		if f, is := fulltextOf("f", text); !is || f.of != want {
			t.Errorf("%s: %+v, %v", text, f, is)
		}
	}
	if _, is := fulltextOf("r", "CREATE VIRTUAL TABLE r USING rtree(id, x0, x1)"); is {
		t.Error("a tree of rectangles is none")
	}
}

// TestFulltext: a full-text index that nothing tells of what is erased or changed keeps the
// person's words: it is named, so that no worker that erases serves it, until triggers keep it in
// step or it is declared. Its own tables are nobody's to declare.
func TestFulltext(t *testing.T) {
	t.Parallel()
	const (
		notes    = "CREATE TABLE notes (id INTEGER PRIMARY KEY, email TEXT, body TEXT); CREATE TABLE other (id INTEGER PRIMARY KEY)"
		external = "CREATE VIRTUAL TABLE words USING fts5(body, content='notes', content_rowid='id')"
		inserts  = "CREATE TRIGGER ins AFTER INSERT ON notes BEGIN INSERT INTO words (rowid, body) VALUES (NEW.id, NEW.body)! END"
		deletes  = "CREATE TRIGGER del AFTER DELETE ON notes BEGIN INSERT INTO words (words, rowid, body) VALUES ('delete', OLD.id, OLD.body)! END"
		updates  = "CREATE TRIGGER upd AFTER UPDATE ON notes BEGIN INSERT INTO words (words, rowid, body) VALUES ('delete', OLD.id, OLD.body)! INSERT INTO words (rowid, body) VALUES (NEW.id, NEW.body)! END"
	)
	for _, c := range []struct {
		name, makes, erase, technical string
		lacks                         []string // the events of which it isn't told
		uncovered                     bool
	}{
		{"external, alone", external, "erase: delete", "", []string{"AFTER DELETE"}, false},
		{"external, only filled", external + ";" + inserts, "erase: delete", "", []string{"AFTER DELETE"}, false},
		{"external, in step", external + ";" + inserts + ";" + deletes, "erase: delete, cascades: [words]", "", nil, false},
		{"external, of what is anonymised", external + ";" + inserts + ";" + deletes, "erase: anonymise, anonymise: {email: null, body: null}, cascades: [words]", "", []string{"AFTER UPDATE"}, false},
		{"external, in step with that", external + ";" + inserts + ";" + deletes + ";" + updates, "erase: anonymise, anonymise: {email: null, body: null}, cascades: [words]", "", nil, false},
		{"external, of what is corrected by a way", external + ";" + inserts + ";" + deletes, "erase: delete, ways: [{subject: {email: body}, rectify: [body]}], cascades: [words]", "", []string{"AFTER UPDATE"}, false},
		{"external, of a view", "CREATE VIEW seen AS SELECT id, body FROM notes; CREATE VIRTUAL TABLE words USING fts5(body, content='seen', content_rowid='id')", "erase: delete", "", []string{"AFTER DELETE"}, false},
		{"external, rebuilt daily", external, "erase: delete", "words", nil, false},
		{"contentless", "CREATE VIRTUAL TABLE words USING fts5(body, content='');" + inserts, "erase: delete", "", []string{"AFTER DELETE"}, true},
		{"contentless, filled by a program", "CREATE VIRTUAL TABLE words USING fts5(body, content='')", "erase: delete", "", nil, true},
		{"of its own", "CREATE VIRTUAL TABLE words USING fts5(body);" + inserts, "erase: delete", "", []string{"AFTER DELETE"}, true},
		{"of another table", "CREATE VIRTUAL TABLE words USING fts5(body, content='other')", "erase: delete", "", nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := sqliteDB(t, notes)
			d.exec(t, c.makes)
			d.exec(t, "INSERT INTO notes VALUES (1, 'ann@example.com', 'lighthouse')")
			abilities := "gather, erase"
			if strings.Contains(c.erase, "rectify") {
				abilities += ", rectify"
			}
			head := "abilities: [" + abilities + "]\nneeds: [email]\nsql: {technical: [other, " + cmp.Or(c.technical, "nothing") + "]}"
			s := open(t, d, small(t, head, "notes | table: notes, key: [id], subject: {email: email}, "+c.erase+" | id email body"))
			kept, err := s.Kept(t.Context())
			if err != nil || len(kept) != min(1, len(c.lacks)) {
				t.Fatalf("kept %v, %v", kept, err)
			}
			for _, event := range c.lacks {
				if !strings.Contains(kept[0].What, "the full-text index words keeps the words of what is erased or changed of notes") || !strings.Contains(kept[0].Cure, event) {
					t.Errorf("%s", kept[0])
				}
			}
			uncovered, err := s.Uncovered(t.Context())
			if want := map[bool][]string{true: {"words"}}[c.uncovered]; err != nil || !slices.Equal(uncovered, want) {
				t.Errorf("uncovered %v, %v", uncovered, err)
			}
			if len(c.lacks) > 0 || c.technical != "" || strings.Contains(c.name, "of another table") || c.uncovered {
				return
			}
			jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
			if err := cmp.Or(s.eraseAll(t.Context(), jobs), jobs[0].Err); err != nil {
				t.Error(err)
			}
			if found := d.column(t, "SELECT rowid FROM words WHERE words MATCH 'lighthouse'"); len(found) > 0 {
				t.Errorf("the index finds %v", found)
			}
		})
	}
}
