// Package internaldb is the databases of the sandbox's own systems, those of [Systems],
// seeded with a population. Each is one SQLite
// file, or its tables in a PostgreSQL database. Their schemas are plain SQL, such
// as a team would have it: pkg/sqlsystem knows them by the manifests only.
package internaldb

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"habeas.dev/services/sandbox/people"
)

//go:embed sqlite postgres
var schemas embed.FS

// Systems returns those that have a database here.
func Systems() []string {
	return []string{people.Account, people.Billing, people.Marketplace, people.Events, people.Support, people.Communications, people.Partner, people.Advertising, people.Community, people.Credit}
}

// tables is the table of each dataset, by system.
var tables = map[string]map[string]string{
	people.Account: {
		"profile": "accounts", "contacts": "account_contacts", "credentials": "credentials",
		"logins": "logins", "profile_versions": "account_archive", "browsers": "browsers",
	},
	people.Billing: {
		"customers": "customers", "subscriptions": "subscriptions", "invoices": "invoices",
		"invoice_lines": "invoice_lines", "payments": "payments",
	},
	people.Marketplace: {
		"purchases": "purchases", "subscriptions": "buyer_subscriptions", "sellers": "sellers",
		"listings": "listings", "reviews": "reviews",
	},
	people.Events: {
		"registrations": "registrations", "attendance": "attendance", "media": "media", "travel": "travel",
	},
	people.Support:        {"tickets": "tickets", "messages": "ticket_messages", "calls": "calls"},
	people.Communications: {"preferences": "preferences", "sent": "sendings"},
	people.Partner:        {"account": "partners", "subscriptions": "programmes", "contacts": "partner_contacts", "versions": "partner_archive"},
	people.Advertising:    {"choices": "choices", "segments": "segments", "inferences": "inferences"},
	people.Community: {
		"profile": "members", "posts": "posts", "post_versions": "post_archive", "messages": "direct_messages",
		"connections": "connections", "answers": "survey_answers", "testimonials": "testimonials",
	},
	people.Credit: {"reports": "reports", "history": "history", "leads": "leads"},
}

// Table returns the table of a dataset; empty where there is none.
func Table(system, dataset string) string { return tables[system][dataset] }

// Datasets returns those of a system, sorted.
func Datasets(system string) []string { return slices.Sorted(maps.Keys(tables[system])) }

// elsewhere reports whether a column of a dataset's records lies in another table, or in a
// file.
func elsewhere(dataset, column string) bool {
	return dataset == "invoice_lines" && column == "issued_on" || column == people.ContentColumn
}

// Create makes <system>.db in a folder for each system that has none there yet,
// and returns the files by system, as [habeas.dev/pkg/sqlsystem.Open] takes them.
// Files beside rows lie in the [Folders] of their system. Without systems it makes all of [Systems].
// A file is there whole or not at all: it is made under another name first. A
// file that is there is left as it is, whatever the population.
func Create(ctx context.Context, dir string, p *people.Population, systems ...string) (map[string]string, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("internaldb: %w", err)
	}
	if len(systems) == 0 {
		systems = Systems()
	}
	files := make(map[string]string, len(systems))
	for _, system := range systems {
		file := filepath.Join(dir, system+".db")
		files[system] = file
		if _, err := os.Stat(file); err == nil {
			continue
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("internaldb: %w", err)
		}
		if err := create(ctx, file, system, p); err != nil {
			return nil, fmt.Errorf("internaldb: %s: %w", system, err)
		}
	}
	return files, nil
}

func create(ctx context.Context, file, system string, p *people.Population) (err error) {
	temp, err := os.CreateTemp(filepath.Dir(file), "."+system+"-*.db") // mode 0600
	if err != nil {
		return err
	}
	if err := temp.Close(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp.Name()))
		}
	}()
	if err := fill(ctx, temp.Name(), system, p); err != nil {
		return err
	}
	if err := writeFiles(filepath.Dir(file), system, p); err != nil {
		return err
	}
	if err := sync(temp.Name()); err != nil {
		return err
	}
	if err := os.Rename(temp.Name(), file); err != nil {
		return err
	}
	return sync(filepath.Dir(file))
}

// sync has the kernel write a file or folder to the disk.
func sync(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func fill(ctx context.Context, file, system string, p *people.Population) (err error) {
	// Nobody else sees the file yet, and a half-made one is thrown away.
	pragmas := url.Values{"_pragma": {"journal_mode(off)", "synchronous(off)"}}
	path, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", OmitHost: true, Path: path, RawQuery: pragmas.Encode()}).String())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	if err := seed(ctx, db, "sqlite", system, p); err != nil {
		return err
	}
	// Readers don't wait for writers. The statistics' samples are values of
	// people's records, which an erasure would not reach: they go.
	for _, statement := range []string{"PRAGMA journal_mode(wal)", "ANALYZE", "DELETE FROM sqlite_stat4"} {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// SeedPostgres makes the tables of a system in a PostgreSQL database, in the
// first schema of its search path, and fills them in one transaction. Tables that
// are there already are an error.
func SeedPostgres(ctx context.Context, db *sql.DB, system string, p *people.Population) error {
	if err := seed(ctx, db, "postgres", system, p); err != nil {
		return fmt.Errorf("internaldb: %s: %w", system, err)
	}
	return nil
}

func seed(ctx context.Context, db *sql.DB, dialect, system string, p *people.Population) (err error) {
	schema, err := schemas.ReadFile(dialect + "/" + system + ".sql")
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	for stmt := range strings.SplitSeq(string(schema), ";\n") {
		if strings.TrimSpace(stmt) == "" {
			continue
		}
		if _, err := tx.ExecContext(ctx, stmt); err != nil {
			return err
		}
	}
	if err := insert(ctx, tx, dialect, system, p.All(system)); err != nil {
		return err
	}
	return tx.Commit()
}

// insert writes rows one by one: the whole sandbox has some thousands.
func insert(ctx context.Context, tx *sql.Tx, dialect, system string, rows iter.Seq[people.Row]) error {
	type inserter struct {
		columns []string
		stmt    *sql.Stmt
	}
	inserters := map[string]inserter{}
	for r := range rows {
		in, ok := inserters[r.Dataset]
		if !ok {
			table := tables[system][r.Dataset]
			if table == "" {
				return fmt.Errorf("no table for dataset %s", r.Dataset)
			}
			for _, c := range slices.Sorted(maps.Keys(r.Values)) {
				if !elsewhere(r.Dataset, c) {
					in.columns = append(in.columns, c)
				}
			}
			var err error
			if in.stmt, err = tx.PrepareContext(ctx, insertText(dialect, table, in.columns)); err != nil {
				return err
			}
			defer in.stmt.Close() //nolint:errcheck // the transaction tells
			inserters[r.Dataset] = in
		}
		args := make([]any, len(in.columns))
		for i, c := range in.columns {
			v, err := plain(r.Values[c])
			if err != nil {
				return err
			}
			args[i] = v
		}
		if _, err := in.stmt.ExecContext(ctx, args...); err != nil {
			return fmt.Errorf("dataset %s: %w", r.Dataset, err)
		}
	}
	return nil
}

func insertText(dialect, table string, columns []string) string {
	marks := make([]string, len(columns))
	for i := range marks {
		marks[i] = "?"
		if dialect == "postgres" {
			marks[i] = fmt.Sprintf("$%d", i+1)
		}
	}
	return fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table, strings.Join(columns, ", "), strings.Join(marks, ", "))
}

// plain returns a value as both drivers take it.
func plain(v any) (any, error) {
	switch v.(type) {
	case map[string]any, []any:
		text, err := json.Marshal(v)
		return string(text), err
	default:
		return v, nil
	}
}
