package installation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"gocloud.dev/blob"

	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/outbox"
)

// Room is a place of an installation beside the journal's tables, and what lies in it.
type Room struct {
	Name  string `json:"name"`
	Parts []Part `json:"parts"`
}

// Part is what is of one kind in a room.
type Part struct {
	Name  string `json:"name"`
	Files int64  `json:"files"`
	Bytes int64  `json:"bytes"`
}

// Rooms returns what lies in an installation's folders and buckets. It lists all of them. A
// folder that isn't there is empty.
func Rooms(ctx context.Context, c config.Config) ([]Room, error) {
	var rooms []Room
	for _, place := range []struct {
		name, where string
		part        func(name string) string
	}{
		{"objects", c.Vault.Bucket, firstFolder},
		{"keys", c.Vault.Keys, firstFolder},
		{"outbox", c.Outbox, outboxPart},
		{"mirror", c.Receipts.Mirror, firstFolder},
		{"broker", c.Room(config.RoomBroker), func(string) string { return "all" }},
		{"journal files", c.Room(config.RoomJournal), func(string) string { return "all" }},
	} {
		if place.where == "" {
			continue
		}
		parts := map[string]*Part{}
		err := eachFile(ctx, place.where, func(name string, bytes int64) {
			of := place.part(name)
			if parts[of] == nil {
				parts[of] = &Part{Name: of}
			}
			parts[of].Files++
			parts[of].Bytes += bytes
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", place.name, err)
		}
		r := Room{Name: place.name, Parts: []Part{}}
		for _, p := range parts {
			r.Parts = append(r.Parts, *p)
		}
		slices.SortFunc(r.Parts, func(a, b Part) int { return strings.Compare(a.Name, b.Name) })
		rooms = append(rooms, r)
	}
	return rooms, nil
}

// outboxPart returns what an object of the outbox is.
func outboxPart(name string) string {
	return cmp.Or(string(outbox.Parse(name).Kind), "other")
}

// firstFolder returns the first folder of a name; of what lies in none, other.
func firstFolder(name string) string {
	folder, _, found := strings.Cut(name, "/")
	if !found {
		return "other"
	}
	return folder
}

// eachFile calls f for each file of a folder or a bucket, by its name below that.
func eachFile(ctx context.Context, where string, f func(name string, bytes int64)) error {
	path, isURL := strings.CutPrefix(where, "file://")
	if !isURL && strings.Contains(where, "://") {
		return eachBlob(ctx, where, f)
	}
	err := filepath.WalkDir(path, func(file string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // none yet, or gone meanwhile
			return nil
		case err != nil || !d.Type().IsRegular():
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		name, _ := filepath.Rel(path, file)
		if err == nil {
			f(filepath.ToSlash(name), info.Size())
		}
		return err
	})
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// eachBlob does the same with a bucket.
func eachBlob(ctx context.Context, url string, f func(name string, bytes int64)) error {
	b, err := blob.OpenBucket(ctx, url)
	if err != nil {
		return err
	}
	defer func() { _ = b.Close() }()
	list := b.List(nil)
	for {
		o, err := list.Next(ctx)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		f(o.Key, o.Size)
	}
}
