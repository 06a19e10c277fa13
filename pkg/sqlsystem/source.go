package sqlsystem

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// CheckSource says what is wrong with a data source that can be told without connecting: a
// scheme that isn't known, one that can't be read, and a SQLite file that isn't there, by
// its path. Nil where a connection may be tried. Else its error is as that of [Open], and names
// no other part of the source.
func CheckSource(ctx context.Context, source string) error {
	db, dialect, err := dial(ctx, source)
	if err != nil {
		return err
	}
	if _, is := dialect.(sqliteDialect); !is {
		return db.Close()
	}
	if err := db.Close(); err != nil {
		return err
	}
	path := strings.TrimPrefix(source, "sqlite://")
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no SQLite file %s: it must exist; is its path mistyped?", path)
	case err == nil && info.IsDir():
		return fmt.Errorf("%s is a folder: name the SQLite file", path)
	}
	return nil // what else is wrong may pass, and the worker says it
}
