package lakesystem

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"habeas.dev/pkg/worker"
)

// points are where an erasure is broken off: one of two files is written, both are,
// they are committed, earlier snapshots are expired.
func points() []string { return []string{"file", "written", "committed", "expired"} }

// TestKilledAnywhere has a process erase and kills it, with SIGKILL, at each point: the table
// is whole, nothing of others is missing, the same plan serves the next attempt, and then
// nothing is left.
func TestKilledAnywhere(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv("LAKE_KILLED"); dir != "" {
		dieIn(t, dir, os.Getenv("LAKE_POINT"))
		return
	}
	for _, point := range points() {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			l := newLake(t)
			l.create("clicks", clicks())
			l.create("letters", letters())
			l.append("clicks", click("1", "anna", ""), click("2", "bob", ""))
			l.append("clicks", click("3", "anna", ""), click("4", "", ""))
			s := l.serve(webManifest(t))
			p := l.plan(s, account("anna"))
			kill(t, l.dir, point)
			left := l.ids("clicks", "click_id")
			if point == "file" || point == "written" {
				same(t, "what is left", left, "1", "2", "3", "4")
			} else {
				same(t, "what is left", left, "2", "4")
			}
			j := &worker.EraseJob{Job: account("anna"), Plan: p}
			if err := s.Erase(t.Context(), []*worker.EraseJob{j}); err != nil {
				t.Fatal(err)
			}
			c := of(j.Counts, "clicks")
			if half := point == "file" && c.Uncovered != ""; half && c.Cause.Code == "lake-orphan" { // what it was writing can't be read
				l.age(t, 2*ownAge)
				again := &worker.EraseJob{Job: j.Job, Plan: p}
				if err := s.Erase(t.Context(), []*worker.EraseJob{again}); err != nil {
					t.Fatal(err)
				}
				if of(again.Counts, "clicks").Gone != 2 { // it was told
					t.Errorf("%+v", again.Counts)
				}
				c.Uncovered = of(again.Counts, "clicks").Uncovered
			}
			if c.Erased != 2 || c.Gone != 0 || c.Uncovered != "" { // by the same plan's commit
				t.Errorf("%+v", c)
			}
			same(t, "what is left in the end", l.ids("clicks", "click_id"), "2", "4")
			if l.lies(s, account("anna")) {
				t.Error("the rows lie in files still")
			}
		})
	}
}

// kill runs this test in a process of its own, until it says that it is where it is to die.
func kill(t *testing.T, dir, point string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledAnywhere$") //nolint:gosec // this very test
	c.Env = append(os.Environ(), "LAKE_KILLED="+dir, "LAKE_POINT="+point)
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	said := false
	for lines := bufio.NewScanner(out); !said && lines.Scan(); {
		said = lines.Text() == "reached "+point
	}
	if err := c.Process.Kill(); err != nil || !said {
		t.Errorf("it died before it was killed: %v", err)
	}
	var died *exec.ExitError
	if err := c.Wait(); !errors.As(err, &died) {
		t.Errorf("it ended: %v", err)
	}
}

// dieIn erases in the lake of another process, and stays at a point until it is killed.
func dieIn(t *testing.T, dir, point string) {
	t.Helper()
	s, err := Open(t.Context(), webManifest(t), Address{URL: "sqlite://" + filepath.Join(dir, "catalogue.db")})
	if err != nil {
		t.Fatal(err)
	}
	l := &lake{TB: t, cat: s.cat, dir: dir}
	s.at = func(at string) error {
		if at == point {
			fmt.Println("reached " + point)
			select {}
		}
		return nil
	}
	l.erase(s, account("anna"))
}
