package main

import (
	"cmp"
	"fmt"
	"runtime/debug"
)

// version is set by the linker for a release.
var version string

type versionCommand struct{}

// Run prints the version, and the commit that was built where the binary knows it.
func (versionCommand) Run() error {
	about := builtFrom()
	line := "habeas " + about.version
	if about.commit != "" {
		line += " (commit " + about.commit + ")"
	}
	_, err := fmt.Println(line)
	return err
}

// buildOf is what a binary knows of its making.
type buildOf struct{ version, commit string }

// builtFrom returns the release that was built: as the linker was told, else as
// the go command names the module that it installed, else development.
func builtFrom() buildOf {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return buildOf{version: cmp.Or(version, "development")}
	}
	return readBuild(version, info)
}

func readBuild(linked string, info *debug.BuildInfo) buildOf {
	b := buildOf{version: linked}
	if b.version == "" && info.Main.Version != "(devel)" {
		b.version = info.Main.Version
	}
	b.version = cmp.Or(b.version, "development")
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
