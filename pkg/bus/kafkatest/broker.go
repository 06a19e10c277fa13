package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/segmentio/kafka-go"
)

// guard is a shell script that outlives this process: once the process is gone,
// however it ended, the script ends the broker ($1) and removes its folder ($2).
const guard = `trap '' INT; read -r word; [ -n "$word" ] || { kill -KILL "$1"; rm -rf "$2"; }`

// heap is the broker's memory for objects; with it, it takes some 380 MB.
const heap = "-Xmx512m"

// Broker is an Apache Kafka broker.
type Broker struct {
	given []string // somebody else's; the rest is empty then

	dir   string
	jars  string
	java  string
	ports map[Protocol]int
	claim net.Listener // nobody else's broker takes our ports while it is open

	server *exec.Cmd     // nil while stopped
	exited chan struct{} // closed when server has ended
	guard  io.WriteCloser
}

// Addrs returns the broker's addresses for a protocol.
func (b *Broker) Addrs(p Protocol) []string {
	if b.given != nil {
		return b.given
	}
	return []string{b.addr(p)}
}

// CAFile returns the certificate by which clients trust the listeners with TLS, in
// PEM.
func (b *Broker) CAFile() string { return filepath.Join(b.dir, "ca.pem") }

func (b *Broker) addr(p Protocol) string {
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(b.ports[p]))
}

func run(ctx context.Context, s settings) (*Broker, error) {
	java, err := findJava()
	if err != nil {
		return nil, err
	}
	jars, err := Jars(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "kafkatest")
	if err != nil {
		return nil, fmt.Errorf("kafkatest: %w", err)
	}
	b := &Broker{dir: dir, jars: jars, java: java, ports: make(map[Protocol]int)}
	if err := b.make(ctx, s); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

func findJava() (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		return filepath.Join(home, "bin", "java"), nil
	}
	java, err := exec.LookPath("java")
	if err != nil {
		return "", &missingError{"java isn't on the PATH, and JAVA_HOME isn't set", "JDK 17 or later (Debian: openjdk-17-jdk-headless)"}
	}
	return java, nil
}

// make writes the broker's folder, and starts it.
func (b *Broker) make(ctx context.Context, s settings) error {
	protocols := s.protocols()
	claim, ports := claimPorts(1 + len(protocols))
	b.claim = claim
	for i, p := range protocols {
		b.ports[p] = ports[1+i]
	}
	properties := s.serverProperties(b.dir, b.ports, ports[0])
	if err := os.WriteFile(b.properties(), []byte(properties), 0o600); err != nil {
		return fmt.Errorf("kafkatest: %w", err)
	}
	if s.secure {
		if err := writeCertificate(b.dir); err != nil {
			return fmt.Errorf("kafkatest: %w", err)
		}
	}
	args := append([]string{"-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", filepath.Join(b.jars, "*"), "kafka.tools.StorageTool", "format", "-t", clusterID, "-c", b.properties()}, s.scram()...)
	if out, err := exec.CommandContext(ctx, b.java, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("kafkatest: format the broker's folder: %w: %s", err, lastLine(out))
	}
	return b.start(ctx)
}

// clusterID is any UUID in Kafka's spelling.
const clusterID = "aGFiZWFzLWthZmthdGVzdA"

func (b *Broker) properties() string { return filepath.Join(b.dir, "server.properties") }

func (b *Broker) start(ctx context.Context) error {
	if b.server != nil {
		return nil
	}
	log, err := os.OpenFile(b.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("kafkatest: %w", err)
	}
	defer log.Close()
	// The broker ends when it is told to, not with the context that it starts in.
	server := exec.CommandContext(context.WithoutCancel(ctx), b.java, heap, "-cp", filepath.Join(b.jars, "*"), "kafka.Kafka", b.properties())
	server.Dir, server.Stdout, server.Stderr = b.dir, log, log
	if err := server.Start(); err != nil {
		return fmt.Errorf("kafkatest: %w", err)
	}
	b.server, b.exited = server, make(chan struct{})
	go func(exited chan struct{}) {
		defer close(exited)
		_ = server.Wait() // how it ended is in its log
	}(b.exited)
	watch := exec.CommandContext(context.WithoutCancel(ctx), "sh", "-c", guard, "kafkatest", strconv.Itoa(server.Process.Pid), b.dir)
	if b.guard, err = watch.StdinPipe(); err != nil {
		return fmt.Errorf("kafkatest: %w", err)
	}
	if err := watch.Start(); err != nil {
		return fmt.Errorf("kafkatest: %w", err)
	}
	go func() { _ = watch.Wait() }()
	return b.waitReady(ctx)
}

// waitReady waits until topics can be made and groups be joined.
func (b *Broker) waitReady(ctx context.Context) error {
	transport := &kafka.Transport{}
	defer transport.CloseIdleConnections()
	client := &kafka.Client{Addr: kafka.TCP(b.addr(Plaintext)), Transport: transport, Timeout: 5 * time.Second}
	ready := func() error {
		select {
		case <-b.exited:
			return backoff.Permanent(errors.New("it ended"))
		default:
		}
		m, err := client.Metadata(ctx, &kafka.MetadataRequest{})
		if err != nil {
			return err
		}
		if len(m.Brokers) == 0 {
			return errors.New("it knows no broker yet")
		}
		c, err := client.FindCoordinator(ctx, &kafka.FindCoordinatorRequest{Key: "kafkatest", KeyType: kafka.CoordinatorKeyTypeConsumer})
		if err != nil {
			return err
		}
		if c.Error != nil {
			return c.Error
		}
		g, err := client.DescribeGroups(ctx, &kafka.DescribeGroupsRequest{GroupIDs: []string{"kafkatest"}})
		if err != nil {
			return err
		}
		for _, one := range g.Groups {
			if one.Error != nil && !errors.Is(one.Error, kafka.GroupIdNotFound) {
				return one.Error
			}
		}
		return nil
	}
	wait := backoff.NewExponentialBackOff(backoff.WithInitialInterval(100*time.Millisecond), backoff.WithMaxInterval(300*time.Millisecond), backoff.WithMaxElapsedTime(0))
	if err := backoff.Retry(ready, backoff.WithContext(wait, ctx)); err != nil {
		return fmt.Errorf("kafkatest: the broker doesn't start: %w: %s", err, b.logTail())
	}
	return nil
}

func (b *Broker) stop(context.Context) error {
	return b.end(func(p *os.Process) error { return p.Signal(syscall.SIGTERM) })
}

func (b *Broker) kill(context.Context) error { return b.end((*os.Process).Kill) }

func (b *Broker) end(how func(*os.Process) error) error {
	if b.server == nil {
		return nil
	}
	if err := how(b.server.Process); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kafkatest: %w", err)
	}
	select {
	case <-b.exited:
	case <-time.After(stopTimeout):
		_ = b.server.Process.Kill()
		<-b.exited
	}
	b.server = nil
	if b.guard != nil {
		_, _ = io.WriteString(b.guard, "done\n")
		_ = b.guard.Close()
		b.guard = nil
	}
	return nil
}

// Close ends a broker of one's own, and removes its data.
func (b *Broker) Close() {
	if b.given != nil {
		return
	}
	_ = b.kill(context.Background()) // its data goes, too: nothing to wait for
	if b.claim != nil {
		_ = b.claim.Close()
	}
	_ = os.RemoveAll(b.dir)
}

func (b *Broker) logFile() string { return filepath.Join(b.dir, "log") }

// logTail returns the end of the broker's log.
func (b *Broker) logTail() string {
	out, _ := os.ReadFile(b.logFile())
	return lastLine(out)
}
