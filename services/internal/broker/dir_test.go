//go:build unix

package broker_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ThreeDotsLabs/watermill/message"
	"github.com/segmentio/kafka-go"

	"habeas.dev/pkg/bus"
	"habeas.dev/services/internal/broker"
)

// TestAcknowledgedRecordsSurviveKill kills the broker's process while it is
// published to, again and again on one directory: what was acknowledged is
// there afterwards.
func TestAcknowledgedRecordsSurviveKill(t *testing.T) {
	if dir := os.Getenv("HABEAS_TEST_BROKER"); dir != "" {
		serve(dir)
	}
	t.Parallel()
	dir := t.TempDir()
	var acknowledged []string
	for round := range 3 {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.count=1")
		cmd.Env = append(os.Environ(), "HABEAS_TEST_BROKER="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		addr, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal("the broker didn't start", err)
		}
		pub, err := bus.NewPublisher(bus.PublisherConfig{Config: bus.Config{Brokers: []string{strings.TrimSpace(addr)}}})
		if err != nil {
			t.Fatal(err)
		}
		alive, dead := context.WithCancel(t.Context())
		const before = 100 // and then whatever gets through
		for i := 0; ; i++ {
			if i == before {
				time.AfterFunc(time.Duration(round)*time.Millisecond, func() {
					_ = cmd.Process.Kill()
					dead()
				})
			}
			name := fmt.Sprintf("%d/%d", round, i)
			msg := message.NewMessage("", []byte(name))
			msg.SetContext(alive)
			if pub.Publish("t", msg) != nil {
				break
			}
			acknowledged = append(acknowledged, name)
		}
		dead()
		_ = pub.Close()
		_ = cmd.Wait()
		if len(acknowledged) < (round+1)*before {
			t.Fatalf("round %d: only %d were acknowledged", round, len(acknowledged))
		}
	}
	b := start(t, dir)
	// What was on its way at a kill may be there without having been acknowledged.
	got := map[string]bool{}
	for _, payload := range all(t, b) {
		got[payload] = true
	}
	for _, name := range acknowledged {
		if !got[name] {
			t.Errorf("%s was acknowledged, and is lost", name)
		}
	}
}

// serve is the process that is killed.
func serve(dir string) {
	b, err := broker.Start(ctx, broker.Config{Dir: dir, Topics: []string{"t"}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(b.Addr())
	select {}
}

// all reads every record of topic t.
func all(t *testing.T, b *broker.Broker) []string {
	t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(b.Addr())}
	var got []string
	for partition := range broker.DefaultPartitions {
		ends, err := client.ListOffsets(t.Context(), &kafka.ListOffsetsRequest{Topics: map[string][]kafka.OffsetRequest{"t": {kafka.LastOffsetOf(partition)}}})
		if err != nil {
			t.Fatal(err)
		}
		end := ends.Topics["t"][0].LastOffset
		r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{b.Addr()}, Topic: "t", Partition: partition, MaxWait: 10 * time.Millisecond})
		for offset := int64(0); offset < end; offset++ {
			m, err := r.ReadMessage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(m.Value))
		}
		_ = r.Close()
	}
	return got
}

// oneLine holds that an error names the directory, a word, and is one line.
func oneLine(t *testing.T, err error, dir, want string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v; want one line with %q and the directory", err, want)
	}
}

func TestInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := start(t, dir)
	_, err := broker.Start(t.Context(), broker.Config{Dir: dir})
	var locked *broker.LockedError
	if !errors.As(err, &locked) || locked.PID != os.Getpid() {
		t.Errorf("%+v", err)
	}
	oneLine(t, err, dir, fmt.Sprint(os.Getpid()))
	b.Close()
	b.Close() // does nothing
	start(t, dir)
}

func TestForeignDirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "letter.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := broker.Start(t.Context(), broker.Config{Dir: dir})
	oneLine(t, err, dir, "not empty")
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("it left something there: %v", entries)
	}
}

// TestLostHead: without its head file, kfake would open a log as if it were empty.
func TestLostHead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := start(t, dir)
	publish(t, b, "one")
	b.Close()
	if err := os.Remove(filepath.Join(dir, "meta.json")); err != nil {
		t.Fatal(err)
	}
	_, err := broker.Start(t.Context(), broker.Config{Dir: dir})
	oneLine(t, err, dir, "meta.json")
}

func TestNotADirectory(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := broker.Start(t.Context(), broker.Config{Dir: dir})
	oneLine(t, err, dir, "cannot be made")
	if _, err := broker.Start(t.Context(), broker.Config{}); err == nil {
		t.Error("no directory is taken for one")
	}
}

func TestReadOnlyDirectory(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may write anywhere")
	}
	dir := filepath.Join(t.TempDir(), "broker")
	if err := os.Mkdir(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	_, err := broker.Start(t.Context(), broker.Config{Dir: dir})
	if !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	oneLine(t, err, dir, "may not write")
}

// TestOffsetsBeyondTheEnd: after a crash of the operating system the commits can
// be newer than the log. A group left so would skip as much as was lost.
func TestOffsetsBeyondTheEnd(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := start(t, dir)
	publish(t, b, "one")
	receive(t, b, 1)
	client := &kafka.Client{Addr: kafka.TCP(b.Addr())}
	beyond := map[string][]kafka.OffsetCommit{}
	for partition := range broker.DefaultPartitions {
		beyond["t"] = append(beyond["t"], kafka.OffsetCommit{Partition: partition, Offset: 1000})
	}
	res, err := client.OffsetCommit(t.Context(), &kafka.OffsetCommitRequest{GroupID: "g", GenerationID: -1, Topics: beyond})
	if err != nil || slices.ContainsFunc(res.Topics["t"], func(p kafka.OffsetCommitPartition) bool { return p.Error != nil }) {
		t.Fatal(err, res)
	}
	b.Close()

	b = start(t, dir)
	publish(t, b, "two")
	if got := receive(t, b, 1); got[0] != "two" {
		t.Errorf("got %q", got)
	}
}
