package receipt

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"
	"golang.org/x/mod/sumdb/tlog"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/services/internal/journal"
)

// mirror is the log as others read it: a folder or a bucket outside of the journal's
// database, in the form that any web server serves (c2sp.org/tlog-tiles). Each log has
// its own part of it.
type mirror struct {
	bucket *blob.Bucket
	prefix string
}

func newMirror(b *blob.Bucket, origin string) *mirror {
	return &mirror{b, "log/" + strings.ReplaceAll(origin, "/", "_") + "/"}
}

var errLong = telemetry.Constant("a file is longer than any of the log's")

const (
	checkpointPath = "checkpoint"
	// maxMirrorFile bounds what is read of the mirror: a full bundle of the largest leaves.
	maxMirrorFile = tileWidth * (journal.MaxLeaf + 2)
)

// read returns a file of the mirror; nil where there is none.
func (m *mirror) read(ctx context.Context, path string) ([]byte, error) {
	return m.readUpTo(ctx, path, maxMirrorFile)
}

func (m *mirror) readUpTo(ctx context.Context, path string, most int64) ([]byte, error) {
	r, err := m.bucket.NewReader(ctx, m.prefix+path, nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("mirror of the log: %w", err)
	}
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(b)) > most {
		err = errLong
	}
	if err != nil {
		return nil, fmt.Errorf("mirror of the log: %w", err)
	}
	return b, nil
}

func (m *mirror) write(ctx context.Context, path string, b []byte) error {
	if err := m.bucket.WriteAll(ctx, m.prefix+path, b, nil); err != nil {
		return fmt.Errorf("mirror of the log: %w", err)
	}
	return nil
}

// MirroredCheckpoint returns a log's checkpoint as it is mirrored; nil where there is none.
func MirroredCheckpoint(ctx context.Context, b *blob.Bucket, origin string) ([]byte, error) {
	return newMirror(b, origin).read(ctx, checkpointPath)
}

// LastCheckpoint returns a log's checkpoint as its journal has it; nil where there is none.
func LastCheckpoint(ctx context.Context, j journal.Notes, origin string) ([]byte, error) {
	signed, _, err := j.Note(ctx, noteName(origin))
	return signed, err
}

// grow writes the tiles and leaves that a tree has beyond one of a former size.
func (m *mirror) grow(ctx context.Context, t journal.Tree, from, to int64) error {
	read := journal.HashReader(ctx, t)
	for _, tile := range tlog.NewTiles(tileHeight, from, to) {
		data, err := tlog.ReadTileData(tile, read)
		if err != nil {
			return fmt.Errorf("log: %w", err)
		}
		if err := m.write(ctx, tilePath(tile), data); err != nil {
			return err
		}
		if tile.L != 0 {
			continue
		}
		entries, err := readBundle(ctx, t, tile)
		if err != nil {
			return err
		}
		tile.L = entriesLevel
		if err := m.write(ctx, tilePath(tile), entries); err != nil {
			return err
		}
	}
	return nil
}

// CheckMirror holds the tiles and leaves of a log's mirror against its tree, up to a size,
// and calls differs with the path of each file that is missing or another.
func CheckMirror(ctx context.Context, b *blob.Bucket, origin string, t journal.Tree, size int64, differs func(path string, missing bool)) error {
	m, read := newMirror(b, origin), journal.HashReader(ctx, t)
	check := func(path string, want []byte) error {
		got, err := m.read(ctx, path)
		if err != nil && !errors.Is(err, errLong) {
			return err
		}
		if err != nil || !bytes.Equal(got, want) {
			differs(m.prefix+path, err == nil && got == nil)
		}
		return nil
	}
	for _, tile := range tlog.NewTiles(tileHeight, 0, size) {
		data, err := tlog.ReadTileData(tile, read)
		if err != nil {
			return fmt.Errorf("log: %w", err)
		}
		if err := check(tilePath(tile), data); err != nil {
			return err
		}
		if tile.L != 0 {
			continue
		}
		entries, err := readBundle(ctx, t, tile)
		if err != nil {
			return err
		}
		tile.L = entriesLevel
		if err := check(tilePath(tile), entries); err != nil {
			return err
		}
	}
	return nil
}

// readBundle returns the leaves below a tile of the lowest level, as the mirror has them.
func readBundle(ctx context.Context, t journal.Tree, tile tlog.Tile) (entries []byte, err error) {
	leaves, err := t.Leaves(ctx, tile.N*tileWidth, tile.W)
	if err != nil {
		return nil, err
	}
	if len(leaves) != tile.W {
		return nil, journal.ErrTree
	}
	for _, l := range leaves {
		entries = appendEntry(entries, l.Data)
	}
	return entries, nil
}

// leaves returns the leaves from one on, of a log of that size, up to the end of a
// bundle.
func (m *mirror) leaves(ctx context.Context, from, size int64) ([][]byte, error) {
	n := from / tileWidth
	width := int(min(size-n*tileWidth, tileWidth))
	b, err := m.read(ctx, tilePath(tlog.Tile{H: tileHeight, L: entriesLevel, N: n, W: width}))
	if err != nil {
		return nil, err
	}
	all, err := readEntries(b)
	if err != nil || len(all) != width {
		return nil, fmt.Errorf("mirror of the log: %w", errEntries)
	}
	return all[from-n*tileWidth:], nil
}
