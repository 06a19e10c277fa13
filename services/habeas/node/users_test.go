package node

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/config"
)

// TestUsersFromOutside: who isn't in the process has a password that is kept, in a file
// that its owner alone reads; who is has one that lies nowhere.
func TestUsersFromOutside(t *testing.T) {
	t.Parallel()
	cfg := config.Config{Data: t.TempDir(), Systems: map[string]config.System{"library": {Elsewhere: true}, "billing": {}}}
	manifests := []*manifest.Manifest{{System: "library"}, {System: "billing"}}
	first, err := brokerUsers(cfg, manifests)
	if err != nil {
		t.Fatal(err)
	}
	again, err := brokerUsers(cfg, manifests)
	if err != nil || len(again) != len(first) {
		t.Fatal(err)
	}
	outside := map[string]bool{"habeas-worker-library": true, "habeas-producer": true, "habeas-follower": true, "habeas-operator": true, "habeas-reconciler": true}
	seen := map[string]bool{}
	for i, u := range first {
		if u.Password == "" || seen[u.Password] {
			t.Errorf("%s has no password of its own", u.Name)
		}
		seen[u.Password] = true
		if kept := again[i].Password == u.Password; kept != outside[u.Name] {
			t.Errorf("%s: its password is kept: %v", u.Name, kept)
		}
	}
	n := &Node{process: &process{}, Brokers: []string{"127.0.0.1:1"}}
	if err := n.writeWays(cfg, first); err != nil {
		t.Fatal(err)
	}
	files := map[string]bool{}
	err = filepath.WalkDir(cfg.Data, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && path != cfg.Data && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s is %v", path, info.Mode())
		}
		if err != nil || d.IsDir() {
			return err
		}
		files[filepath.Base(path)] = true
		text, err := os.ReadFile(path)
		for _, u := range first {
			if bytes.Contains(text, []byte(u.Password)) && filepath.Base(path) != u.Name+".password" {
				t.Errorf("%s has the password of %s", path, u.Name)
			}
		}
		return err
	})
	if err != nil || len(files) != 2*len(outside) || !files["habeas-worker-library.yaml"] {
		t.Errorf("%v, %v", files, err)
	}
	for _, closing := range n.closers {
		if err := closing(); err != nil {
			t.Error(err)
		}
	}
	left, err := filepath.Glob(filepath.Join(cfg.Room(config.RoomUsers), "*"))
	for _, path := range left {
		if !strings.HasSuffix(path, ".password") {
			t.Errorf("%s is left when the broker has stopped", path)
		}
	}
	if err != nil || len(left) != len(outside) {
		t.Error(left, err)
	}
	if comesFromOutside(cfg, "habeas-"+dsar.Aggregator) {
		t.Error("the aggregator comes from outside")
	}
}
