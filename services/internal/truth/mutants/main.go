// Command mutants takes one rule out of the program at a time, and sees the truth test
// go red: what survives is a rule that nothing would notice the loss of.
//
// A mutant is a change of one place of the source, which the compiler is shown instead
// of the file (go build -overlay): nothing in the tree changes, and there is no switch
// in what runs. TestMutantsApply holds their list to the source.
//
//	go run ./services/internal/truth/mutants              all of them
//	go run ./services/internal/truth/mutants -only WORD   those whose rule has the word
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// limit is how long one mutant may take: most need some seconds, after the compiler's.
const limit = 20 * time.Minute

func main() {
	only := flag.String("only", "", "those whose rule has this word")
	flag.Parse()
	if err := run(context.Background(), *only); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

func run(ctx context.Context, only string) error {
	root, err := repository(ctx)
	if err != nil {
		return err
	}
	var survived []string
	tried := 0
	for _, m := range mutants {
		if !strings.Contains(m.rule, only) {
			continue
		}
		tried++
		began := time.Now()
		red, err := m.isNoticed(ctx, root)
		if err != nil {
			return fmt.Errorf("%s: %w", m.rule, err)
		}
		said := "noticed "
		if !red {
			said, survived = "SURVIVED", append(survived, m.rule)
		}
		fmt.Printf("%s  %-70s %s (%s)\n", said, m.rule, m.test, time.Since(began).Round(time.Second))
	}
	fmt.Printf("%d of %d were noticed\n", tried-len(survived), tried)
	if len(survived) > 0 {
		return fmt.Errorf("%d survived: %s; add what would notice to services/internal/truth", len(survived), strings.Join(survived, "; "))
	}
	return nil
}

// repository returns the folder of go.work.
func repository(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOWORK").Output()
	if err != nil {
		return "", err
	}
	work := strings.TrimSpace(string(out))
	if work == "" || work == "off" {
		return "", fmt.Errorf("there is no go.work here: run it in the repository")
	}
	return filepath.Dir(work), nil
}

// sources returns the files of a mutant with the rule taken out, by their names.
func (m mutant) sources(root string) (map[string][]byte, error) {
	out := map[string][]byte{}
	for _, place := range []mutant{m, also[m.rule]} {
		if place.file == "" {
			continue
		}
		name := filepath.Join(root, place.file)
		text, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if n := bytes.Count(text, []byte(place.old)); n != 1 {
			return nil, fmt.Errorf("%s has %q %d times: write in services/internal/truth/mutants/list.go where the rule is now", place.file, place.old, n)
		}
		out[name] = bytes.Replace(text, []byte(place.old), []byte(place.new), 1)
	}
	return out, nil
}

// isNoticed reports whether the tests fail with a mutant. That they don't compile is an
// error.
func (m mutant) isNoticed(ctx context.Context, root string) (bool, error) {
	sources, err := m.sources(root)
	if err != nil {
		return false, err
	}
	dir, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return false, err
	}
	defer os.RemoveAll(dir)
	overlay, program := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "truth.test")
	replace := map[string]string{}
	for name, text := range sources {
		replace[name] = filepath.Join(dir, fmt.Sprintf("mutant%d.go", len(replace)))
		if err := os.WriteFile(replace[name], text, 0o600); err != nil {
			return false, err
		}
	}
	list, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		return false, err
	}
	if err := os.WriteFile(overlay, list, 0o600); err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	build := exec.CommandContext(ctx, "go", "test", "-overlay", overlay, "-c", "-o", program, "./services/internal/truth")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return false, fmt.Errorf("it doesn't compile: %w\n%s", err, out)
	}
	test := exec.CommandContext(ctx, program, "-test.run", m.test, "-test.failfast", "-runs", "400", "-test.timeout", limit.String())
	test.Dir = filepath.Join(root, "services/internal/truth")
	out, err := test.CombinedOutput()
	if err == nil && bytes.Contains(out, []byte("no tests to run")) {
		return false, fmt.Errorf("there is no test %s", m.test)
	}
	return err != nil, ctx.Err()
}
