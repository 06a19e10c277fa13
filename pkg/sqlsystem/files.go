package sqlsystem

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/pkg/worker"
)

// Files is a folder or bucket in which files lie that belong to rows: photographs,
// recordings. Where there is no file of a name, both methods say [fs.ErrNotExist]; where
// it may not be read or removed, [fs.ErrPermission]. It MUST be safe for many goroutines,
// and remove all there is of a file: where it keeps earlier versions, those too.
type Files interface {
	Open(ctx context.Context, name string) (io.ReadCloser, error)
	Remove(ctx context.Context, name string) error
}

// WithFiles gives the folder or bucket that manifests call name.
func WithFiles(name string, files Files) Option {
	return func(s *System) {
		if s.files == nil {
			s.files = map[string]Files{}
		}
		s.files[name] = files
	}
}

// WithoutFiles leaves open where files lie: for who looks at the database only, and neither
// gathers nor erases.
func WithoutFiles(s *System) { s.noFiles = true }

// filesAtOnce is how many files are removed at a time.
const filesAtOnce = 8

// beside is where the files of a dataset's rows lie. What their names are made of is a part
// of the rows' keys in a plan, behind the key of the table: so a file is found by the plan,
// and what was planned of it is proven, though the row is gone.
type beside struct {
	*manifest.SQLFiles
	store   Files
	names   []string    // the columns of which files' names are made
	columns []keyColumn // the same, in the table
	paths   []string    // how the files of a row are called
}

// beside makes out where a dataset's files lie.
func (c *compiler) beside(ctx context.Context, path string, d *dataset) error {
	f := d.SQL.Files
	if f == nil {
		return nil
	}
	path += ".files"
	b := &beside{SQLFiles: f, store: c.System.files[f.In], names: f.Columns(), paths: f.Paths()}
	if b.store == nil && !c.noFiles {
		return c.wrong(path+".in", fmt.Sprintf("dataset %s: nothing says where the files of %q lie", d.Name, f.In), fmt.Sprintf("name the folder or bucket in the configuration: systems.%s.files.%s", c.System.m.System, f.In))
	}
	for _, name := range b.names {
		col, err := c.find(ctx, path+".path", d.SQL.Table, name)
		if err != nil {
			return err
		}
		b.columns = append(b.columns, keyColumn{col, "t." + c.dialect.quote(name)})
	}
	d.beside = b
	return nil
}

// inFile reports whether a column of a record is what lies in a file beside the row.
func (d *dataset) inFile(column string) bool {
	return d.SQL.Files != nil && d.File != nil && d.File.Content == column
}

// planned returns what a row's key in a plan is made of: the table's key, and what its
// files' names are made of.
func (d *dataset) planned(dialect Dialect) []string {
	texts := d.keyTexts(dialect, "t")
	if d.beside != nil {
		for _, k := range d.beside.columns {
			texts = append(texts, dialect.nameText(k.expr, k.column))
		}
	}
	return texts
}

// width returns how many columns [dataset.planned] has.
func (d *dataset) width() int {
	if d.beside == nil {
		return len(d.keys)
	}
	return len(d.keys) + len(d.beside.columns)
}

// planKey makes a row's key in a plan of what [dataset.planned] gave.
func (d *dataset) planKey(dialect Dialect, held []any) (string, error) {
	key, err := d.keyOf(dialect, held[:len(d.keys)])
	if err != nil || d.beside == nil {
		return key, err
	}
	columns, err := worker.KeyColumns(key, len(d.keys))
	if err != nil {
		return "", err
	}
	for _, v := range held[len(d.keys):] {
		text, _ := textOf(v) // without one, there is no file
		columns = append(columns, text)
	}
	return worker.Key(columns...), nil
}

// rowKey returns the table's key of a key in a plan.
func (d *dataset) rowKey(key string) (string, error) {
	if d.beside == nil {
		return key, nil
	}
	columns, err := worker.KeyColumns(key, d.width())
	if err != nil {
		return "", errKey(d)
	}
	return worker.Key(columns[:len(d.keys)]...), nil
}

// rowKeys returns the table's keys of keys in a plan.
func (d *dataset) rowKeys(keys []string) ([]string, error) {
	if d.beside == nil {
		return keys, nil
	}
	out := make([]string, len(keys))
	for i, key := range keys {
		var err error
		if out[i], err = d.rowKey(key); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// fileNames returns what the files of a row are called, the one that is gathered first:
// empty where there is none. A name that leads out of the folder is an error.
func (d *dataset) fileNames(key string) ([]string, error) {
	columns, err := worker.KeyColumns(key, d.width())
	if err != nil {
		return nil, errKey(d)
	}
	held := func(column string) string { return columns[len(d.keys)+slices.Index(d.beside.names, column)] }
	var out []string
	for _, path := range d.beside.paths {
		name, ok := d.beside.Name(path, held)
		if !ok {
			return nil, worker.Permanent("bad-file-name", "a row of "+d.Name+" names a file that can't lie in "+d.beside.In+": correct the row, or the manifest's path", nil)
		}
		out = append(out, name)
	}
	return out, nil
}

// content returns what is in the file of a row, in base64; nil where there is none. It
// says what it had to leave out.
func (d *dataset) content(ctx context.Context, key string) (content any, leftOut string, err error) {
	names, err := d.fileNames(key)
	if err != nil || names[0] == "" {
		return nil, "", err
	}
	in, err := d.beside.store.Open(ctx, names[0])
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, "a row's file isn't there: look for it, or empty what names it", nil
	case errors.Is(err, fs.ErrPermission):
		return nil, "files may not be read: give the worker the permission", nil
	case err != nil:
		return nil, "", d.unreached(err)
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, record.MaxFile+1))
	if err != nil {
		return nil, "", d.unreached(err)
	}
	if len(text) > record.MaxFile {
		return nil, fmt.Sprintf("files over %d MB are not copied: hand them over otherwise", record.MaxFile>>20), nil
	}
	return base64.StdEncoding.EncodeToString(text), "", nil
}

// unreached says that a folder or bucket gives no answer. What it said may hold a name.
func (d *dataset) unreached(err error) error {
	return worker.Transient("files", "the files of "+d.Name+" in "+d.beside.In+" can't be reached", err)
}

// fill puts what is in the file of a row into its record; held ends with what
// [dataset.planned] gave.
func (d *dataset) fill(ctx context.Context, dialect Dialect, r record.Record, held []any) (leftOut string, err error) {
	if d.beside == nil {
		return "", nil
	}
	key, err := d.planKey(dialect, held[len(held)-d.width():])
	if err != nil {
		return "", err
	}
	r[d.File.Content], leftOut, err = d.content(ctx, key)
	return leftOut, err
}

// eraseWithFiles erases by the jobs' plans, and removes the files of what goes before all is
// committed: a file that nothing refers to any more would be found by nobody. Of what is
// taken back then, the files are gone, and the next try finds the rows.
func (s *System) eraseWithFiles(ctx context.Context, tx *sql.Tx, jobs []*counted, lacking lacks) error {
	e, err := s.eraseIn(ctx, tx, jobs, lacking)
	if err != nil {
		return err
	}
	for _, h := range e.holdings {
		if err := e.removeFiles(ctx, h); err != nil {
			return err
		}
	}
	return nil
}

// removeFiles removes the files of the rows of a dataset that went, and of those that were
// planned to go and are gone.
func (e *erasure) removeFiles(ctx context.Context, h *holding) error {
	if h.d.beside == nil {
		return nil
	}
	names, err := e.ownFiles(ctx, h.d, append(slices.Clone(h.erase), h.filesGo()...), func(o *holding) []string {
		return append(slices.Clone(o.erase), o.filesGo()...)
	})
	if err != nil {
		return err
	}
	return h.d.each(ctx, names, func(ctx context.Context, name string) error {
		switch err := h.d.beside.store.Remove(ctx, name); {
		case err == nil, errors.Is(err, fs.ErrNotExist):
			return nil
		case errors.Is(err, fs.ErrPermission):
			return worker.Permanent("no-permission", "the files of "+h.d.Name+" in "+h.d.beside.In+" may not be removed, and none of its rows was erased: give the worker the permission", err)
		default:
			return h.d.unreached(err)
		}
	})
}

// goneByPlan reports whether a row is gone that everybody's plan has go.
func (r *item) goneByPlan() bool {
	return !r.there && !slices.ContainsFunc(r.shares, func(s share) bool { return s.keep != nil })
}

// filesGo returns the keys of rows that everybody's plan has go and that are gone, or anonymous.
func (h *holding) filesGo() (keys []string) {
	for _, key := range h.keys {
		if r := h.rows[key]; r.goneByPlan() || r.done {
			keys = append(keys, key)
		}
	}
	return keys
}

// each does something with some files, several at a time.
func (d *dataset) each(ctx context.Context, names []string, do func(context.Context, string) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(filesAtOnce)
	for _, name := range names {
		g.Go(func() error { return do(ctx, name) })
	}
	return g.Wait()
}

// filesLeft has rows count as there that were planned to go, and whose files are there
// though they are gone or anonymous themselves.
func (e *examination) filesLeft(ctx context.Context, h *holding) error {
	if h.d.beside == nil {
		return nil
	}
	var mu sync.Mutex
	left := map[string]bool{}
	byName := map[string][]string{} // by file, the keys
	gone := h.filesGo()
	names, err := e.ownFiles(ctx, h.d, gone, (*holding).filesGo)
	if err != nil {
		return err
	}
	for _, key := range gone {
		its, err := h.d.fileNames(key)
		if err != nil {
			return err
		}
		for _, name := range its {
			byName[name] = append(byName[name], key)
		}
	}
	err = h.d.each(ctx, names, func(ctx context.Context, name string) error {
		in, err := h.d.beside.store.Open(ctx, name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return h.d.unreached(err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, key := range byName[name] {
			left[key] = true
		}
		return in.Close()
	})
	for key := range left {
		h.rows[key].there, h.rows[key].done = true, false
	}
	return err
}
