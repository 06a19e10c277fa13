// Release packs the modules of Habeas for those outside of its repository, and
// holds what they rely on: the Makefile's targets module-proxy, api and release
// are its commands.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

const usage = `want one of
  proxy -dir DIR [-version VERSION]   lay the modules out as a module proxy serves them
  api                                 fail where a released name is gone or changed and the changelog doesn't say so
  names                               count the exported names of each package
  prepare -version VERSION            write changelog and go.mod of a release
  reopen                              let the modules replace each other again, as between releases`

func run(args []string) error {
	if len(args) == 0 {
		return errors.New(usage)
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	root := flags.String("root", ".", "the repository's root")
	dir := flags.String("dir", "", "where to write")
	version := flags.String("version", "", "the release, as v0.1.0")
	day := flags.String("day", time.Now().UTC().Format(time.DateOnly), "the release's day")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "proxy":
		return proxy(*root, *dir, *version)
	case "api":
		return checkAPI(*root, os.Stdout)
	case "names":
		return countNames(*root)
	case "prepare":
		return prepare(*root, *version, *day)
	case "reopen":
		return reopen(*root)
	default:
		return errors.New(usage)
	}
}

// proxy lays the modules out under dir and prints their version. Without one, it
// is what the go command calls the commit.
func proxy(root, dir, version string) error {
	if dir == "" {
		return errors.New("proxy: -dir is missing")
	}
	pseudo, at, err := pseudoVersion(root)
	if err != nil {
		return err
	}
	if version == "" {
		version = pseudo
	}
	packs, err := packAll(root, version)
	if err != nil {
		return err
	}
	if err := writeProxy(dir, packs, at); err != nil {
		return err
	}
	fmt.Println(version)
	return nil
}

// promised are the folders of the modules whose names others rely on.
var promised = []string{"schemas", "pkg"}

// checkAPI names what the last release promised and the checkout doesn't keep, where
// the changelog doesn't say so.
func checkAPI(root string, out io.Writer) error {
	changelog, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	admitted, ok := section(string(changelog), unreleased)
	if !ok {
		return fmt.Errorf("CHANGELOG.md has no section %q", "## "+unreleased)
	}
	last, err := lastRelease(root)
	if err != nil {
		return err
	}
	before := ""
	if last.version == "" {
		fmt.Fprintln(out, "api: nothing was released before this commit: there are no names to hold it to")
	} else {
		if before, err = checkOut(root, last); err != nil {
			return err
		}
		defer os.RemoveAll(before)
	}
	var wrong []string
	for _, dir := range promised {
		now, err := load(filepath.Join(root, dir))
		if err != nil {
			return err
		}
		for _, p := range unsaid(now) {
			wrong = append(wrong, fmt.Sprintf("%s: the package's doc doesn't say its stability: add a line \"Stability: …\"", p))
		}
		if last.version == "" {
			continue
		}
		released, err := load(filepath.Join(before, dir))
		if err != nil {
			return fmt.Errorf("%s: %w", last.version, err)
		}
		for _, c := range broken(released, now) {
			if !admits(admitted, c) {
				wrong = append(wrong, fmt.Sprintf("%s: %s since %s: keep it as it was, or say so with `%s` under %q in CHANGELOG.md",
					c.qualified(), c.What, last.version, c.qualified(), "## "+unreleased))
			}
		}
	}
	if len(wrong) > 0 {
		return errors.New(strings.Join(wrong, "\n"))
	}
	return nil
}

// countNames prints how many names each package exports, and all together: those
// of the package itself, and with fields and methods.
func countNames(root string) error {
	for _, dir := range promised {
		now, err := load(filepath.Join(root, dir))
		if err != nil {
			return err
		}
		names, all := 0, 0
		for _, path := range slices.Sorted(maps.Keys(now)) {
			n, a := count(now[path].Types)
			fmt.Printf("%5d %5d %s\n", n, a, path)
			names, all = names+n, all+a
		}
		fmt.Printf("%5d %5d %s, all together\n", names, all, dir)
	}
	return nil
}

// prepare writes into the checkout what a release's commit has otherwise than
// the commit before it.
func prepare(root, version, day string) error {
	if semver.Canonical(version) != version || semver.Build(version) != "" {
		return fmt.Errorf("prepare: %q is no version: want one as v0.1.0", version)
	}
	if err := checkAPI(root, os.Stdout); err != nil {
		return err
	}
	path := filepath.Join(root, "CHANGELOG.md")
	changelog, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text, err := release(string(changelog), version, day)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return err
	}
	packs, err := packAll(root, version)
	if err != nil {
		return err
	}
	if err := writeMods(root, packs); err != nil {
		return err
	}
	return writeWork(root, packs)
}

// writeWork lets the workspace know that it holds the released version: the go
// command would look for it elsewhere.
func writeWork(root string, packs []*pack) error {
	path := filepath.Join(root, "go.work")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	work, err := modfile.ParseWork(path, text, nil)
	if err != nil {
		return err
	}
	for _, r := range slices.Clone(work.Replace) {
		if strings.HasPrefix(r.Old.Path, prefix) {
			if err := work.DropReplace(r.Old.Path, r.Old.Version); err != nil {
				return err
			}
		}
	}
	for _, p := range packs {
		if err := work.AddReplace(p.Path, p.Version.Version, "./"+p.Dir, ""); err != nil {
			return err
		}
	}
	work.SortBlocks()
	work.Cleanup()
	return os.WriteFile(path, modfile.Format(work.Syntax), 0o644)
}

// writeMods writes the packs' go.mod and go.sum into the checkout.
func writeMods(root string, packs []*pack) error {
	for _, p := range packs {
		if err := os.WriteFile(filepath.Join(root, p.Dir, "go.mod"), p.Mod, 0o644); err != nil {
			return err
		}
		if len(p.Sum) == 0 {
			continue
		}
		if err := os.WriteFile(filepath.Join(root, p.Dir, "go.sum"), p.Sum, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// reopen lets each module replace those that it requires by their folders: what
// is built between releases, with GOWORK=off too, is the checkout.
func reopen(root string) error {
	for _, dir := range folders {
		path := filepath.Join(root, dir, "go.mod")
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		m, err := modfile.Parse(path, text, nil)
		if err != nil {
			return err
		}
		for _, r := range m.Require {
			if other, ok := strings.CutPrefix(r.Mod.Path, prefix); ok {
				if err := m.AddReplace(r.Mod.Path, "", "../"+other, ""); err != nil {
					return err
				}
			}
		}
		m.Cleanup()
		if text, err = m.Format(); err != nil {
			return err
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return err
		}
		sum := filepath.Join(root, dir, "go.sum")
		lines, err := os.ReadFile(sum)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return err
		}
		var kept strings.Builder
		for line := range strings.Lines(string(lines)) {
			if !strings.HasPrefix(line, prefix) {
				kept.WriteString(line)
			}
		}
		if err := os.WriteFile(sum, []byte(kept.String()), 0o644); err != nil {
			return err
		}
	}
	return nil
}
