package config

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// secretFile returns the file in which a setting's secret lies: the setting itself, or what its
// address names; empty where it names none.
func secretFile(s setting) string {
	text := s.text()
	if !strings.Contains(text, "://") {
		if strings.HasPrefix(s.Setting, "systems.*.options") && !strings.HasSuffix(s.Where, ".key_file") {
			return ""
		}
		return text
	}
	u := address(text)
	switch {
	case u == nil:
		return ""
	case u.Query().Get("passfile") != "":
		return u.Query().Get("passfile")
	case u.Scheme == "file" && strings.HasPrefix(s.Setting, "vault."):
		return u.Path
	}
	return ""
}

// isReadable tells of a secret's file that others may read: everybody, or a group although it
// is its owner who needs it. A file of root's that is mounted for a group is read by that.
func isReadable(_ view, s setting) string { return readableFile(secretFile(s)) }

func readableFile(path string) string {
	info, err := os.Stat(path)
	if path == "" || err != nil || !info.Mode().IsRegular() { // what is missing is config check's
		return ""
	}
	switch mode := info.Mode().Perm(); {
	case mode&0o004 != 0:
		return fmt.Sprintf("can be read by everybody on the machine: %s has mode %04o", path, mode)
	case mode&0o040 != 0 && ownFile(info):
		return fmt.Sprintf("can be read by a group, and its owner needs it alone: %s has mode %04o", path, mode)
	case mode&0o022 != 0:
		return fmt.Sprintf("can be exchanged by others: %s has mode %04o", path, mode)
	}
	return ""
}

// maxLinks bounds how many files of link keys are looked at: more than systems there are.
const maxLinks = 10_000

// hasReadableFile tells of a folder whose files others may read.
func hasReadableFile(_ view, s setting) string {
	entries, err := os.ReadDir(s.text())
	if err != nil {
		return ""
	}
	var all []string
	for _, e := range entries[:min(len(entries), maxLinks)] {
		if what := readableFile(filepath.Join(s.text(), e.Name())); what != "" {
			all = append(all, what)
		}
	}
	if len(all) > 1 {
		all[0] += fmt.Sprintf(", and %d more", len(all)-1)
	}
	return strings.Join(all[:min(len(all), 1)], "")
}

func isOpenFolder(_ view, s setting) string {
	info, err := os.Stat(s.text())
	if err != nil || !info.IsDir() || info.Mode().Perm()&0o007 == 0 && (info.Mode().Perm()&0o070 == 0 || !ownFile(info)) {
		return ""
	}
	return fmt.Sprintf("can be entered by others on the machine: %s has mode %04o", s.text(), info.Mode().Perm())
}

// isWritable tells of a file or folder that others may write to, or a file in it, whoever owns it.
func isWritable(_ view, s setting) string {
	if s.text() == "" {
		return ""
	}
	what := ""
	_ = filepath.WalkDir(s.text(), func(path string, e fs.DirEntry, err error) error {
		if err != nil || what != "" {
			return filepath.SkipAll
		}
		info, err := os.Stat(path)
		if err == nil && info.Mode().Perm()&0o022 != 0 {
			what = fmt.Sprintf("can be written by others: %s has mode %04o", path, info.Mode().Perm())
		}
		return nil
	})
	return what
}

// maxSecret bounds what is read of a secret's file, in bytes.
const maxSecret = 64 << 10

// content returns what two files have in common where they hold the same secret. What is no
// file, such as a pipe, isn't opened: nobody may ever write to it.
func content(path string) string {
	if path == "" {
		return ""
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxSecret {
		return path
	}
	if text, err := os.ReadFile(path); err == nil && len(text) > 0 && len(text) <= maxSecret {
		sum := sha256.Sum256(text)
		return string(sum[:])
	}
	return path
}

// isSameSecret tells of the first of several settings that have one secret. Journal and limits
// are reached by the same processes.
func isSameSecret(c view, s setting) string {
	own := c.secrets[s.Where]
	if own == "" {
		return ""
	}
	var same []string
	for where, other := range c.secrets {
		if where != s.Where && other == own {
			same = append(same, where)
		}
	}
	if len(same) == 0 || slices.Min(same) < s.Where || s.Where == "journal" && slices.Equal(same, []string{"limits"}) {
		return ""
	}
	slices.Sort(same)
	return "is the secret of " + strings.Join(same, ", ") + ", too"
}

// place is a folder, or a bucket, whatever prefix in it.
type place struct{ bucket, folder string }

func placeOf(text string) place {
	u, err := url.Parse(text)
	switch {
	case text == "" || err != nil:
		return place{}
	case u.Scheme == "file":
		return place{folder: u.Path}
	case strings.Contains(text, "://"):
		return place{bucket: u.Scheme + "://" + u.Host}
	case filepath.IsAbs(text):
		return place{folder: text}
	}
	return place{}
}

// meets reports whether two places are one, or one lies in the other.
func (p place) meets(other place) bool {
	if p.bucket != "" || other.bucket != "" {
		return p.bucket == other.bucket
	}
	return p.folder != "" && other.folder != "" && (liesIn(p.folder, other.folder) || liesIn(other.folder, p.folder))
}

// liesIn reports whether a path is in a folder, or the folder itself.
func liesIn(folder, path string) bool {
	rel, err := filepath.Rel(folder, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// apart says which places of a setting's must not meet which others, and why.
var apart = map[string]struct {
	from []string
	why  string
}{
	"receipts.mirror": {[]string{"vault.bucket", "vault.keys", "outbox", "portal.uploads", "links"}, "what is restored, lost or altered with that takes the mirror along, which is to tell"},
	"vault.keys":      {[]string{"vault.bucket", "outbox", "portal.uploads"}, "who has a backup of that, or may read it, has the keys beside what they open"},
	"outbox":          {[]string{"vault.bucket", "links"}, "workers have that: each of them reads and exchanges answers"},
	"portal.uploads":  {[]string{"vault.bucket", "outbox", "links"}, "what people send is for the console alone"},
}

func isSamePlace(c view, s setting) string {
	own := placeOf(s.text())
	for _, other := range c.all {
		if slices.Contains(apart[s.Where].from, other.Where) && own.meets(placeOf(other.text())) {
			return "lies where " + other.Where + " does: " + apart[s.Where].why
		}
	}
	return ""
}

func isInData(c view, s setting) string {
	if p := placeOf(s.text()); p.folder == "" || !liesIn(c.Data, p.folder) {
		return ""
	}
	return "lies in the data folder: what is restored with it can't tell that it was"
}

// liesWithWorkers tells of keys that lie where a worker reaches: it has the folders of objects,
// of links, and of its system's files.
func liesWithWorkers(c view, s setting) string {
	key := placeOf(s.text())
	for _, way := range c.all {
		if way.Where == "vault.bucket" || way.Where == "links" || way.Setting == "systems.*.files.*" {
			if folder := placeOf(way.text()).folder; folder != "" && key.folder != "" && liesIn(folder, key.folder) {
				return "lies in " + way.Where + ", which workers have: each of them reads it"
			}
		}
	}
	return ""
}

func liesInDataWithVault(c view, s setting) string {
	key, objects := placeOf(s.text()).folder, placeOf(c.Vault.Bucket).folder
	if key == "" || objects == "" || !liesIn(c.Data, key) || !liesIn(c.Data, objects) {
		return ""
	}
	return "lies in the data folder, as the vault does: a worker that is given that folder reads the master key"
}

func isTogether(c view, _ setting) string {
	if strings.Contains(c.Vault.Bucket, "://") && !strings.HasPrefix(c.Vault.Bucket, "file:") || c.Vault.Apart {
		return ""
	}
	return "isn't set: all systems' objects of a request lie in one file, which each worker can cut or delete"
}
