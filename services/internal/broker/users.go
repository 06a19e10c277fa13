package broker

import (
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"

	"github.com/twmb/franz-go/pkg/kfake"

	"habeas.dev/pkg/bus"
	"habeas.dev/services/internal/topics"
)

// User is somebody who may sign in to the broker, and what they may do there.
type User struct {
	Name, Password string
	Rights         []topics.ACL
}

// mechanism is how users sign in. PLAIN MUST NOT be offered: there, the broker lets in
// anybody under any name with an empty password (TestUsers tries it).
const mechanism = bus.ScramSHA256

// superuser makes topics and grants rights, while the broker starts; its password is in
// this process' memory alone.
const superuser = "habeas-broker"

// SignIn returns how a user signs in.
func (u User) SignIn() bus.SASL {
	return bus.SASL{Mechanism: mechanism, User: u.Name, Password: u.Password}
}

// signIn returns the broker's options for its users, and how it signs in itself. Without
// users nobody signs in, and everybody may do everything.
func signIn(users []User) ([]kfake.Opt, bus.SASL) {
	if len(users) == 0 {
		return nil, bus.SASL{}
	}
	own := bus.SASL{Mechanism: mechanism, User: superuser, Password: rand.Text()}
	options := []kfake.Opt{kfake.EnableSASL(), kfake.EnableACLs(), kfake.Superuser(mechanism, own.User, own.Password)}
	for _, u := range users {
		options = append(options, kfake.User(mechanism, u.Name, u.Password))
	}
	return options, own
}

// forgetUsers removes the users and rights that the broker has written down: those of its
// last start would stand in for those of this one.
func forgetUsers(dir string) error {
	for _, name := range []string{"sasl.json", "acls.json"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return dirError(dir, "cannot be written", err)
		}
	}
	return nil
}

// grantees returns the users with what is granted to them.
func grantees(users []User) []topics.Grantee {
	out := make([]topics.Grantee, len(users))
	for i, u := range users {
		out[i] = topics.Grantee{User: u.Name, ACLs: u.Rights}
	}
	return out
}
