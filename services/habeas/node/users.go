package node

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/broker"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/topics"
)

// As returns how a user reaches the broker. The embedded one knows each component by
// itself, with no rights but its own; on a cluster a process is the user that its
// configuration names, whatever runs in it.
func (n *Node) As(user string) bus.Config {
	c := n.bus
	c.ClientID = user
	if own, ok := n.users[user]; ok {
		c.SASL = own
	}
	return c
}

// publisher returns what publishes as a user: one for all who are the same user to the
// broker.
func (n *Node) publisher(user string) (*bus.Publisher, error) {
	c := n.As(user)
	if p, ok := n.publishers[c.SASL.User]; ok {
		return p, nil
	}
	p, err := bus.NewPublisher(bus.PublisherConfig{Config: c})
	if err != nil {
		return nil, err
	}
	n.publishers[c.SASL.User] = p
	n.onStop(p.Close)
	return p, nil
}

// brokerUsers makes the users of the embedded broker, by the one table of accesses. What
// runs in this process has a password that lies nowhere else; who comes from outside finds
// theirs in a file of its own.
func brokerUsers(cfg config.Config, manifests []*manifest.Manifest) ([]broker.User, error) {
	var users []broker.User
	for _, a := range topics.Accesses(Systems(manifests)) {
		u := broker.User{Name: a.User, Password: rand.Text(), Rights: a.ACLs()}
		if comesFromOutside(cfg, a.User) {
			var err error
			if u.Password, err = keptPassword(cfg, a.User); err != nil {
				return nil, err
			}
		}
		users = append(users, u)
	}
	return users, nil
}

// comesFromOutside reports whether a user of the embedded broker isn't in this process: a
// worker that runs elsewhere, whoever sends requests, follows facts or looks at what
// was rejected, and habeas reconcile.
func comesFromOutside(cfg config.Config, user string) bool {
	switch user {
	case topics.UserProducer, topics.UserFollower, topics.UserOperator, topics.UserReconciler:
		return true
	}
	system, worker := strings.CutPrefix(user, topics.WorkerUser(""))
	return worker && cfg.Systems[system].Elsewhere
}

// passwordFile returns where the password of a user from outside lies.
func passwordFile(cfg config.Config, user string) string {
	return filepath.Join(cfg.Room(config.RoomUsers), user+".password")
}

// keptPassword returns a user's password, which is made at the first start.
func keptPassword(cfg config.Config, user string) (string, error) {
	path := passwordFile(cfg, user)
	text, err := os.ReadFile(path)
	if password := strings.TrimSpace(string(text)); err == nil && password != "" {
		return password, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("a user's password: %w", err)
	}
	password := rand.Text()
	if err := writeSecret(path, []byte(password+"\n")); err != nil {
		return "", fmt.Errorf("a user's password: %w", err)
	}
	return password, nil
}

// writeSecret writes a file that its owner alone reads, in a folder likewise. It is there
// whole or not at all.
func writeSecret(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".*") // of mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// writeWays writes for each user from outside how it reaches the broker, in a file that
// is removed when the broker stops: its port is another each time. A worker finds its own
// by itself (worker.ReadSettings).
func (n *Node) writeWays(cfg config.Config, users []broker.User) error {
	for _, u := range users {
		if !comesFromOutside(cfg, u.Name) {
			continue
		}
		var way struct {
			Kafka bus.Files `yaml:"kafka"`
		}
		way.Kafka.Brokers = n.Brokers
		way.Kafka.SASL = bus.SASLFiles{Mechanism: u.SignIn().Mechanism, User: u.Name, PasswordFile: passwordFile(cfg, u.Name)}
		text, err := yaml.Marshal(way)
		if err != nil {
			return err
		}
		path := filepath.Join(cfg.Room(config.RoomUsers), u.Name+".yaml")
		n.onStop(func() error { _ = os.Remove(path); return nil })
		if err := writeSecret(path, append([]byte("# How "+u.Name+" reaches the embedded broker, until it stops.\n"), text...)); err != nil {
			return fmt.Errorf("a user of the broker: %w", err)
		}
	}
	return nil
}
