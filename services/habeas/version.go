package main

import (
	"cmp"
	"os"
	"runtime/debug"

	"habeas.dev/services/internal/terminal"
)

// version and commit are set by the linker for a release.
var version, commit string

type versionCommand struct{}

// Run prints the version, and the commit that was built where the binary knows it.
func (versionCommand) Run() error {
	about := builtFrom()
	line := "habeas " + about.version
	if about.commit != "" {
		line += " (commit " + about.commit + ")"
	}
	_, err := terminal.Printf(os.Stdout, "%s\n", line)
	return err
}

// buildOf is what a binary knows of its making.
type buildOf struct{ version, commit string }

// builtFrom returns the release that was built: as the linker was told, else as
// the go command names the module that it installed, else development.
func builtFrom() buildOf {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	return readBuild(buildOf{version, commit}, info)
}

func readBuild(linked buildOf, info *debug.BuildInfo) buildOf {
	b := linked
	if b.version == "" && info.Main.Version != "(devel)" {
		b.version = info.Main.Version
	}
	b.version = cmp.Or(b.version, "development")
	if b.commit != "" {
		return b
	}
	changed := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.commit = s.Value[:min(12, len(s.Value))]
		case "vcs.modified":
			changed = s.Value == "true"
		}
	}
	if b.commit != "" && changed {
		b.commit += ", changed"
	}
	return b
}
