// Release packs the modules of Habeas for those outside of its repository, and
// holds what they rely on: the Makefile's targets module-proxy, api and release
// are its commands.
package main

import (
	"errors"
	"flag"
	"fmt"
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
  prepare -version VERSION            write changelog, API listings and go.mod of a release
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
		return checkAPI(*root)
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

// promised are the folders of the modules whose names others rely on, each with
// the listing of its last release beside it.
var promised = []string{"schemas", "pkg"}

const listing = "api.txt"

// checkAPI names what a release promised and the checkout doesn't keep.
func checkAPI(root string) error {
	changelog, err := os.ReadFile(filepath.Join(root, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	admitted, ok := section(string(changelog), unreleased)
	if !ok {
		return fmt.Errorf("CHANGELOG.md has no section %q", "## "+unreleased)
	}
	var wrong []string
	for _, dir := range promised {
		now, unsaid, err := listAPI(filepath.Join(root, dir))
		if err != nil {
			return err
		}
		for _, p := range unsaid {
			wrong = append(wrong, fmt.Sprintf("%s: the package's doc doesn't say its stability: add a line \"Stability: …\"", p))
		}
		text, err := os.ReadFile(filepath.Join(root, dir, listing))
		if os.IsNotExist(err) {
			continue // nothing was released
		}
		if err != nil {
			return err
		}
		released, err := parseAPI(string(text))
		if err != nil {
			return err
		}
		for _, n := range broken(released, now) {
			if !admits(admitted, n) {
				wrong = append(wrong, fmt.Sprintf("%s was released as %q and is gone or changed: keep it, or say so with `%s` under %q in CHANGELOG.md",
					n.qualified(), n.Decl, n.qualified(), "## "+unreleased))
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
		names, _, err := listAPI(filepath.Join(root, dir))
		if err != nil {
			return err
		}
		var order []string
		top, all := map[string]int{}, map[string]int{}
		for _, n := range names {
			if all[n.Package]++; all[n.Package] == 1 {
				order = append(order, n.Package)
			}
			if !strings.Contains(n.Symbol, ".") {
				top[n.Package]++
			}
		}
		sum := 0
		for _, p := range order {
			fmt.Printf("%5d %5d %s\n", top[p], all[p], p)
			sum += top[p]
		}
		fmt.Printf("%5d %5d %s, all together\n", sum, len(names), dir)
	}
	return nil
}

// prepare writes into the checkout what a release's commit has otherwise than
// the commit before it.
func prepare(root, version, day string) error {
	if semver.Canonical(version) != version || semver.Build(version) != "" {
		return fmt.Errorf("prepare: %q is no version: want one as v0.1.0", version)
	}
	if err := checkAPI(root); err != nil {
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
	for _, dir := range promised {
		if err := writeListing(filepath.Join(root, dir), version); err != nil {
			return err
		}
	}
	if _, err := git(root, "add", "--intent-to-add", "--", "schemas", "pkg"); err != nil { // a first listing is new
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

// writeListing writes the names that a release promises.
func writeListing(dir, version string) error {
	names, _, err := listAPI(dir)
	if err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "# The exported names of %s; written by make release, read by make api.\n", version)
	for _, n := range promises(names) {
		fmt.Fprintln(&b, n)
	}
	return os.WriteFile(filepath.Join(dir, listing), []byte(b.String()), 0o644)
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
