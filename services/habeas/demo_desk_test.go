package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestDemoDesk plays the demo's second act: what it says to try is tried, as it is printed,
// and works.
func TestDemoDesk(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts processes")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	dir := t.TempDir()
	demo := command(ctx, "demo", "--data", dir, "--people", "200", "--listen", "127.0.0.1:0", "--console", "127.0.0.1:0", "--portal", "127.0.0.1:0")
	keyboard, err := demo.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := demo.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := demo.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := demo.Wait(); err != nil {
			t.Errorf("the demo ends with %v", err)
		}
	}()
	lines := bufio.NewScanner(out)
	text := until(t, lines, "Serving until Ctrl-C")
	if !regexp.MustCompile(`Of these 35 requests: .*\b1 awaiting-clarification, 3 awaiting-proof, 1 cancelled, .* needs-attention, 1 refused; 3 overdue\.`).MatchString(text) {
		t.Errorf("it isn't a day at the desk:\n%s", text)
	}
	habeas := func(args string) string {
		t.Helper()
		text, err := command(ctx, strings.Fields(args+" --data "+dir)...).CombinedOutput()
		if err != nil {
			t.Errorf("habeas %s: %v\n%s", args, err, text)
		}
		return string(text)
	}
	tried := func(verb string) string {
		t.Helper()
		m := regexp.MustCompile(`\S+ (` + verb + ` .*?) --data`).FindStringSubmatch(text[strings.Index(text, "Try:"):])
		if m == nil {
			t.Fatalf("nothing to %s in\n%s", verb, text)
		}
		return m[1]
	}
	if all := habeas(tried("requests")); strings.Count(all, "needs-attention") < 10 {
		t.Errorf("the list says\n%s", all)
	}
	if told := habeas(tried("trace")); !strings.Contains(told, "needs-attention") {
		t.Errorf("the trace says\n%s", told)
	}
	if said := habeas(tried("identity")); !strings.Contains(said, "Accepted.") {
		t.Error(said)
	}
	fmt.Fprintln(keyboard, "mend")
	until(t, lines, "whole again")
	retry := tried("retry")
	habeas(retry)
	id := strings.Fields(retry)[1]
	watched := command(ctx, "trace", id, "--watch", "--data", dir)
	if told, err := watched.CombinedOutput(); err != nil || !strings.Contains(string(told), "completed") {
		t.Errorf("after the repair: %v\n%s", err, told)
	}
	go io.Copy(io.Discard, out)
}

// until reads lines up to one that has a text in it, and returns them.
func until(t *testing.T, lines *bufio.Scanner, end string) string {
	t.Helper()
	var all strings.Builder
	for lines.Scan() {
		fmt.Fprintln(&all, lines.Text())
		if strings.Contains(lines.Text(), end) {
			return all.String()
		}
	}
	t.Fatalf("%q never came: %v\n%s", end, lines.Err(), &all)
	return ""
}
