package main

import (
	"runtime/debug"
	"testing"
)

func TestVersion(t *testing.T) {
	t.Parallel()
	info := func(module string, settings ...debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: module}, Settings: settings}
	}
	commit := debug.BuildSetting{Key: "vcs.revision", Value: "35b5383e36f8aa01bb02cc03dd04ee05ff060708"}
	for _, c := range []struct {
		linked buildOf
		info   *debug.BuildInfo
		want   buildOf
	}{
		{buildOf{}, info(""), buildOf{version: "development"}},
		{buildOf{}, info("(devel)", commit), buildOf{"development", "35b5383e36f8"}},
		{buildOf{}, info("v0.1.0"), buildOf{version: "v0.1.0"}},
		{buildOf{version: "v0.1.0"}, info("(devel)", commit, debug.BuildSetting{Key: "vcs.modified", Value: "true"}), buildOf{"v0.1.0", "35b5383e36f8, changed"}},
		{buildOf{"v0.1.0", "0123456789ab"}, info("(devel)", commit), buildOf{"v0.1.0", "0123456789ab"}},
	} {
		if got := readBuild(c.linked, c.info); got != c.want {
			t.Errorf("%q, %+v: %+v, want %+v", c.linked, c.info, got, c.want)
		}
	}
}
