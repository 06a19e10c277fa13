//go:build unix

package pgtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/jackc/pgx/v5"
)

// superuser is the cluster's only role; it is reached through a socket that lies
// in a folder of the cluster's own.
const superuser = "habeas"

// guard runs the server and ends it on a word from its input, or on the input's
// end: so also when the test's process is killed. Then it cleans up too.
const guard = `"$1" -D "$2/data" -k "$2" & server=$!
read -r word
case "$word" in crash) kill -QUIT $server;; *) kill -INT $server;; esac
wait $server
case "$word" in '') rm -rf "$2";; esac`

// cluster is a PostgreSQL of the test's own.
type cluster struct {
	dir    string
	bin    string
	as     *syscall.Credential // nil: as we are
	params []string

	guard *exec.Cmd
	input io.WriteCloser
}

func newCluster(ctx context.Context, params []string) (*cluster, error) {
	bin, err := serverPrograms(ctx)
	if err != nil {
		return nil, err
	}
	// Not t.TempDir: a socket's path must be shorter than some tests' names.
	dir, err := os.MkdirTemp("", "pgtest")
	if err != nil {
		return nil, err
	}
	c := &cluster{dir: dir, bin: bin, params: params}
	if err := c.make(ctx); err != nil {
		c.remove()
		return nil, err
	}
	return c, nil
}

// serverPrograms finds the folder of initdb and postgres, which on many systems
// is not on the PATH.
func serverPrograms(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "pg_config", "--bindir").Output()
	if err != nil {
		if path, err := exec.LookPath("initdb"); err == nil {
			return filepath.Dir(path), nil
		}
		return "", errors.New("neither pg_config nor initdb is on the PATH")
	}
	bin := strings.TrimSpace(string(out))
	if _, err := os.Stat(filepath.Join(bin, "initdb")); err != nil {
		return "", fmt.Errorf("no initdb in %s (only the client is installed)", bin)
	}
	return bin, nil
}

func (c *cluster) make(ctx context.Context) error {
	if err := c.ownership(); err != nil {
		return err
	}
	initdb := exec.CommandContext(ctx, filepath.Join(c.bin, "initdb"), "-D", filepath.Join(c.dir, "data"),
		"-U", superuser, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	c.prepare(initdb)
	if out, err := initdb.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, lastLine(out))
	}
	settings := append([]string{"listen_addresses=''", "unix_socket_permissions=0777", "max_connections=200",
		"fsync=off", "full_page_writes=off", "log_min_messages=fatal"}, c.params...)
	conf, err := os.OpenFile(filepath.Join(c.dir, "data", "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = conf.WriteString("\n" + strings.Join(settings, "\n") + "\n")
	if err := errors.Join(err, conf.Close()); err != nil {
		return err
	}
	return c.start(ctx)
}

// ownership hands the folder to another user where we are root, whom PostgreSQL
// refuses.
func (c *cluster) ownership() error {
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return errors.New("it doesn't run as root, and there is neither a user postgres nor nobody")
		}
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return err
	}
	c.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(c.dir, int(uid), int(gid))
}

func (c *cluster) prepare(cmd *exec.Cmd) {
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Credential: c.as} // a Ctrl-C is the test's, not the server's
}

func (c *cluster) url() *url.URL {
	return &url.URL{Scheme: "postgres", User: url.User(superuser), Path: "/postgres", RawQuery: url.Values{"host": {c.dir}}.Encode()}
}

func (c *cluster) start(ctx context.Context) error {
	// The guard ends with this process, not with the context that it starts in.
	cmd := exec.CommandContext(context.WithoutCancel(ctx), "sh", "-c", guard, "pgtest", filepath.Join(c.bin, "postgres"), c.dir)
	c.prepare(cmd)
	log, err := os.OpenFile(filepath.Join(c.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if c.input, err = cmd.StdinPipe(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.guard = cmd
	wait := backoff.NewExponentialBackOff(backoff.WithInitialInterval(20*time.Millisecond),
		backoff.WithMaxInterval(200*time.Millisecond), backoff.WithMaxElapsedTime(startTimeout))
	err = backoff.Retry(func() error {
		conn, err := pgx.Connect(ctx, c.url().String())
		if err != nil {
			return err
		}
		return conn.Close(ctx)
	}, backoff.WithContext(wait, ctx))
	if err != nil {
		out, _ := os.ReadFile(filepath.Join(c.dir, "log"))
		return fmt.Errorf("the server doesn't start: %s", lastLine(out))
	}
	return nil
}

func (c *cluster) stop(context.Context) error  { return c.end("stop\n") }
func (c *cluster) crash(context.Context) error { return c.end("crash\n") }

func (c *cluster) end(word string) error {
	if c.guard == nil {
		return nil
	}
	_, err := io.WriteString(c.input, word)
	_ = c.input.Close()
	_ = c.guard.Wait() // its status is the server's, which was told to end
	c.guard = nil
	return err
}

func (c *cluster) remove() {
	_ = c.end("stop\n")
	_ = os.RemoveAll(c.dir)
}

func lastLine(out []byte) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return lines[len(lines)-1]
}
