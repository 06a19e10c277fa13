package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/semver"
)

// writeProxy lays packs out as a module proxy serves them, so that
// GOPROXY=file://dir finds them. What lies there of other versions stays.
func writeProxy(dir string, packs []*pack, at time.Time) error {
	for _, p := range packs {
		path, err := module.EscapePath(p.Path)
		if err != nil {
			return err
		}
		version, err := module.EscapeVersion(p.Version.Version)
		if err != nil {
			return err
		}
		info, err := json.Marshal(struct {
			Version string
			Time    time.Time
		}{p.Version.Version, at.UTC()})
		if err != nil {
			return err
		}
		at := filepath.Join(dir, filepath.FromSlash(path), "@v")
		if err := os.MkdirAll(at, 0o755); err != nil {
			return err
		}
		for suffix, content := range map[string][]byte{".info": info, ".mod": p.Mod, ".zip": p.Zip} {
			if err := os.WriteFile(filepath.Join(at, version+suffix), content, 0o644); err != nil {
				return err
			}
		}
		if err := writeList(at); err != nil {
			return err
		}
		// What is asked for where there is no release yet.
		if err := os.WriteFile(filepath.Join(filepath.Dir(at), "@latest"), info, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// writeList writes the list of a module's releases: pseudo-versions aren't in it.
func writeList(dir string) error {
	infos, err := filepath.Glob(filepath.Join(dir, "*.info"))
	if err != nil {
		return err
	}
	var versions []string
	for _, f := range infos {
		version, err := module.UnescapeVersion(strings.TrimSuffix(filepath.Base(f), ".info"))
		if err == nil && !module.IsPseudoVersion(version) {
			versions = append(versions, version)
		}
	}
	semver.Sort(versions)
	var list strings.Builder
	for _, v := range versions {
		fmt.Fprintln(&list, v)
	}
	return os.WriteFile(filepath.Join(dir, "list"), []byte(list.String()), 0o644)
}

// pseudoVersion returns what the go command calls a commit that has no tag.
func pseudoVersion(root string) (version string, at time.Time, err error) {
	commit, err := git(root, "rev-parse", "HEAD")
	if err != nil {
		return "", at, err
	}
	if at, err = commitTime(root); err != nil {
		return "", at, err
	}
	return module.PseudoVersion("v0", "", at, commit[:12]), at, nil
}

func commitTime(root string) (time.Time, error) {
	out, err := git(root, "log", "-1", "--format=%cI")
	if err != nil {
		return time.Time{}, err
	}
	return time.Parse(time.RFC3339, strings.TrimSpace(out))
}
