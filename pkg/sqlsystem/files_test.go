package sqlsystem

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/worker"
)

// lying makes a folder with files, each of which holds its own name, and returns what lists
// them.
func lying(t *testing.T, names ...string) (Files, func() string, string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range names {
		lay(t, dir, name)
	}
	files, err := Folder(dir)
	if err != nil {
		t.Fatal(err)
	}
	return files, func() string {
		var out []string
		err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				out = append(out, path)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		return strings.Join(out, " ")
	}, dir
}

func lay(t *testing.T, dir, name string) {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(name), 0o600)); err != nil {
		t.Fatal(err)
	}
}

const filesSchema = `CREATE TABLE photos (id INTEGER PRIMARY KEY, email TEXT, path TEXT);
	CREATE TABLE calls (id INTEGER PRIMARY KEY, email TEXT, paid INTEGER);
	CREATE TABLE accounts (id INTEGER PRIMARY KEY, email TEXT, avatar TEXT);
	INSERT INTO photos VALUES (1, 'ann@example.com', 'p/1.jpg'), (2, 'ann@example.com', NULL), (3, 'bob@example.com', 'p/3.jpg'), (4, 'ann@example.com', 'p/both.jpg'), (5, 'bob@example.com', 'p/both.jpg'), (6, 'ann@example.com', 'p/lost.jpg');
	INSERT INTO calls VALUES (1234, 'ann@example.com', 0), (1235, 'bob@example.com', 0), (1236, 'ann@example.com', 1);
	INSERT INTO accounts VALUES (7, 'ann@example.com', '/ann.png'), (8, 'bob@example.com', '/bob.png')`

func withFiles(t *testing.T) *manifest.Manifest {
	return small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}",
		`photos | table: photos, key: [id], subject: {email: email}, erase: delete, files: {in: media, path: "{path}"} | id path content | file: {content: content, name: path}`,
		`calls | table: calls, key: [id], ways: [{subject: {email: email}, where: {paid: 0}, erase: delete}, {subject: {email: email}, where: {paid: 1}, erase: keep, why: {en: It is paid}}], files: {in: media, path: "calls/{id 6 1-3}/{id 6 4-6}.wav", also: ["peaks/{id}"]} | id sound | file: {content: sound}`,
		`accounts | table: accounts, key: [id], subject: {email: email}, erase: anonymise, anonymise: {email: null, avatar: null}, files: {in: media, path: "{avatar}"} | id picture | file: {content: picture}`)
}

var laid = []string{"p/1.jpg", "p/3.jpg", "p/both.jpg", "calls/001/234.wav", "calls/001/235.wav", "calls/001/236.wav", "peaks/1234", "peaks/1236", "ann.png", "bob.png", "p/nobody.jpg"}

const laidAfter = "bob.png calls/001/235.wav calls/001/236.wav p/3.jpg p/both.jpg p/nobody.jpg peaks/1236"

// TestFilesBesideRows: files that lie beside rows are shown with them and go with them: not
// those that another's row has, too, nor those of rows that stay.
func TestFilesBesideRows(t *testing.T) {
	t.Parallel()
	everyDatabase(t, filesSchema, func(t *testing.T, d database) {
		files, list, dir := lying(t, laid...)
		s := open(t, d, withFiles(t), WithFiles("media", files))
		ann := ids("email ann@example.com")
		want := []string{
			`photos {"content":"cC8xLmpwZw==","id":"1","path":"p/1.jpg"}`, `photos {"content":null,"id":"2","path":null}`,
			`photos {"content":"cC9ib3RoLmpwZw==","id":"4","path":"p/both.jpg"}`,
			"photos: a row's file isn't there: look for it, or empty what names it", `photos {"content":null,"id":"6","path":"p/lost.jpg"}`,
			`calls {"id":"1234","sound":"Y2FsbHMvMDAxLzIzNC53YXY="}`, `calls {"id":"1236","sound":"Y2FsbHMvMDAxLzIzNi53YXY="}`,
			`accounts {"id":"7","picture":"YW5uLnBuZw=="}`,
		}
		if got := gatherAll(t, s, ann)[0]; !slices.Equal(got, want) {
			t.Errorf("got %s", strings.Join(got, "\n"))
		}
		before := list()
		jobs := jobsOf(dsar.Erasure, ann)
		if err := s.planAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		if err := s.Rehearse(t.Context(), []*worker.EraseJob{{Job: *jobs[0].Job, Plan: jobs[0].plan}}); err != nil {
			t.Fatal(err)
		}
		if after := list(); after != before {
			t.Errorf("a rehearsal leaves %s", after)
		}
		if err := s.eraseByPlan(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		if got, want := outcomes(jobs[0].Counts), "accounts found 1 erased 0 anonymised 1 gone 0 late 0; calls found 2 erased 1 anonymised 0 gone 0 late 0 kept 1 kept; photos found 4 erased 4 anonymised 0 gone 0 late 0"; got != want {
			t.Errorf("erased: %s", got)
		}
		if after := list(); after != laidAfter {
			t.Errorf("left are %s", after)
		}
		s.mustFind(t, jobs, 0)

		// What came back, or wasn't removed when the rows were, is found by the plan.
		lay(t, dir, "calls/001/234.wav")
		lay(t, dir, "p/1.jpg")
		s.mustFind(t, jobs, 2)
		jobs[0].Counts = nil
		if err := s.eraseByPlan(t.Context(), jobs); err != nil || jobs[0].Err != nil {
			t.Fatal(err, jobs[0].Err)
		}
		if after := list(); after != laidAfter {
			t.Errorf("left are %s", after)
		}
		s.mustFind(t, jobs, 0)
	})
}

// TestFilesOfOtherDatasets: a file that a row of another dataset names stays, where that row
// stays, whatever the names are made of; where it goes, too, the file goes.
func TestFilesOfOtherDatasets(t *testing.T) {
	t.Parallel()
	everyDatabase(t, `CREATE TABLE photos (id INTEGER PRIMARY KEY, email TEXT, path TEXT);
		CREATE TABLE posts (id INTEGER PRIMARY KEY, email TEXT, image TEXT, paid INTEGER);
		CREATE TABLE previews (id INTEGER PRIMARY KEY, email TEXT, kind TEXT);
		INSERT INTO photos VALUES (1, 'ann@example.com', 'a/ann'), (2, 'ann@example.com', 'a/team'), (3, 'ann@example.com', 'a/kept'), (4, 'ann@example.com', 'a/both'), (5, 'ann@example.com', '007/small'), (6, 'ann@example.com', 'p/8/b');
		INSERT INTO posts VALUES (1, 'bob@example.com', 'team', 0), (2, 'ann@example.com', 'kept', 1), (3, 'ann@example.com', 'both', 0);
		INSERT INTO previews VALUES (7, 'bob@example.com', 'b'), (8, 'bob@example.com', 'b')`, func(t *testing.T, d database) {
		files, list, _ := lying(t, "a/ann", "a/team", "a/kept", "a/both", "007/small", "p/8/b", "p/7/b")
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}",
			`photos | table: photos, key: [id], subject: {email: email}, erase: delete, files: {in: media, path: "{path}"} | id path content | file: {content: content}`,
			`posts | table: posts, key: [id], ways: [{subject: {email: email}, where: {paid: 0}, erase: delete}, {subject: {email: email}, where: {paid: 1}, erase: keep, why: {en: It is paid}}], files: {in: media, path: "a/{image}"} | id content | file: {content: content}`,
			`previews | table: previews, key: [id], subject: {email: email}, erase: delete, files: {in: media, path: "p/{id}/{kind}", also: ["{id 3}/small"]} | id content | file: {content: content}`), WithFiles("media", files))
		jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
		if err := errors.Join(s.planAll(t.Context(), jobs), s.eraseByPlan(t.Context(), jobs), jobs[0].Err); err != nil {
			t.Fatal(err)
		}
		if after := list(); after != "007/small a/kept a/team p/7/b p/8/b" {
			t.Errorf("left are %s", after)
		}
		s.mustFind(t, jobs, 0)
	})
}

// mustFind asks anew by the jobs' plans.
func (s *System) mustFind(t *testing.T, jobs []*counted, want int64) {
	t.Helper()
	jobs[0].Counts = nil
	if err := s.countAll(t.Context(), jobs); err != nil {
		t.Fatal(err)
	}
	var found int64
	for _, c := range jobs[0].Counts {
		found += c.Found - c.Kept()
	}
	if found != want {
		t.Errorf("found again: %s, and it should be %d", outcomes(jobs[0].Counts), want)
	}
}

// refusing are files that can't be removed.
type refusing struct {
	Files
	err error
}

func (r refusing) Remove(context.Context, string) error { return r.err }

// TestFilesThatStay: while a file can't be removed, its row stays, and the plan goes on
// being one.
func TestFilesThatStay(t *testing.T) {
	t.Parallel()
	everyDatabase(t, filesSchema, func(t *testing.T, d database) {
		files, list, _ := lying(t, laid...)
		for _, fault := range []error{fs.ErrPermission, errors.New("no such host")} {
			s := open(t, d, withFiles(t), WithFiles("media", refusing{files, fault}))
			jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
			err := errors.Join(s.eraseAll(t.Context(), jobs), jobs[0].Err)
			if err == nil || strings.Contains(err.Error(), ".jpg") {
				t.Errorf("%v", err)
			}
		}
		if rows := d.column(t, "SELECT id FROM photos"); len(rows) != 6 {
			t.Errorf("rows are gone: %v", rows)
		}
		s := open(t, d, withFiles(t), WithFiles("media", files))
		jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
		if err := errors.Join(s.eraseAll(t.Context(), jobs), jobs[0].Err); err != nil {
			t.Fatal(err)
		}
		if after := list(); after != laidAfter {
			t.Errorf("left are %s", after)
		}
	})
}

// TestFilesOutside: a row that names a file outside of the folder has neither shown nor
// removed, and no link is followed.
func TestFilesOutside(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"../secret", "p/../../secret", "p//1.jpg", "link", "p"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			d := sqliteDB(t, "CREATE TABLE photos (id INTEGER PRIMARY KEY, email TEXT, path TEXT)")
			d.insert(t, "photos", 1, "ann@example.com", path)
			_, list, dir := lying(t, "secret", "in/p/1.jpg")
			if err := os.Symlink("../secret", filepath.Join(dir, "in", "link")); err != nil {
				t.Fatal(err)
			}
			files, err := Folder(filepath.Join(dir, "in"))
			if err != nil {
				t.Fatal(err)
			}
			s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}",
				`photos | table: photos, key: [id], subject: {email: email}, erase: delete, files: {in: media, path: "{path}"} | id content | file: {content: content}`), WithFiles("media", files))
			jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
			if err := errors.Join(s.eraseAll(t.Context(), jobs), jobs[0].Err); err == nil {
				t.Error("it is erased")
			}
			if after := list(); after != "in/link in/p/1.jpg secret" {
				t.Errorf("left are %s", after)
			}
			if rows := d.column(t, "SELECT id FROM photos"); len(rows) != 1 {
				t.Error("the row is gone")
			}
		})
	}
}

// TestFilesUnknown: where files lie must be said before a worker starts, and need not for a
// look at the database.
func TestFilesUnknown(t *testing.T) {
	t.Parallel()
	d := sqliteDB(t, filesSchema)
	if _, err := Open(t.Context(), withFiles(t), d.source); err == nil || !strings.Contains(err.Error(), "systems.small.files.media") {
		t.Error(err)
	}
	s, err := Open(t.Context(), withFiles(t), d.source, WithoutFiles)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestFilesByOtherPaths: a file that another's row names by another of its paths, or by that of another
// dataset in the same folder, stays; that of a row that goes too doesn't.
func TestFilesByOtherPaths(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE photos (id INTEGER PRIMARY KEY, email VARCHAR(99), path VARCHAR(99)); CREATE TABLE calls (id INTEGER PRIMARY KEY, email VARCHAR(99))`
	everyDatabase(t, schema, func(t *testing.T, d database) {
		files, list, _ := lying(t, "a.jpg", "thumb/a.jpg", "b.jpg", "thumb/b.jpg", "c.jpg", "thumb/c.jpg", "calls/1.wav", "calls/2.wav", "calls/x.wav", "d.jpg", "thumb/thumb/b.jpg")
		for i, row := range [][2]string{{"ann", "a.jpg"}, {"bob", "b.jpg"}, {"ann", "thumb/b.jpg"}, {"ann", "calls/2.wav"}, {"ann", "calls/1.wav"}, {"ann", "calls/x.wav"}, {"ann", "c.jpg"}, {"bob", "thumb/c.jpg"}, {"ann", "d.jpg"}} {
			d.insert(t, "photos", i, row[0]+"@example.com", row[1])
		}
		d.insert(t, "calls", 1, "ann@example.com")
		d.insert(t, "calls", 2, "bob@example.com")
		s := open(t, d, small(t, "abilities: [gather, erase]\nneeds: [email]\nsql: {}",
			`photos | table: photos, key: [id], subject: {email: email}, erase: delete, files: {in: media, path: "{path}", also: ["thumb/{path}"]} | id content | file: {content: content}`,
			`calls | table: calls, key: [id], subject: {email: email}, erase: delete, files: {in: media, path: "calls/{id}.wav"} | id sound | file: {content: sound}`), WithFiles("media", files))
		jobs := jobsOf(dsar.Erasure, ids("email ann@example.com"))
		if err := errors.Join(s.eraseAll(t.Context(), jobs), jobs[0].Err); err != nil {
			t.Fatal(err)
		}
		if got, want := list(), "b.jpg calls/2.wav thumb/b.jpg thumb/c.jpg"; got != want {
			t.Errorf("left are %s, want %s", got, want)
		}
		s.mustFind(t, jobs, 0)
	})
}
