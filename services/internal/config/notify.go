package config

import (
	"errors"
	"fmt"
	"time"
)

// Notify is how people hear of what waits for them: of due dates that come near
// or have passed, of requests that need a person, of systems that don't answer.
// Without a webhook and without an address nobody does.
type Notify struct {
	// Every is how often it is looked; Digest for how long things are gathered
	// before there is another message. Defaults: 1m and 15m.
	Every  time.Duration `yaml:"every"`
	Digest time.Duration `yaml:"digest"`
	// DueWithin is how long before its due date a request is told of (default
	// 120h), SilentAfter for how long a system may be asked in vain (default 10m).
	DueWithin   time.Duration `yaml:"due_within"`
	SilentAfter time.Duration `yaml:"silent_after"`
	Webhooks    []Webhook     `yaml:"webhooks"`
	// Mail are addresses of people; by the server of letters.
	Mail []string `yaml:"mail"`
}

// Webhook is where messages are posted, signed as Standard Webhooks says.
type Webhook struct {
	URL string `yaml:"url"`
	// SecretFile holds whsec_ and 24 to 64 bytes in base64.
	SecretFile string `yaml:"secret_file"`
}

func (n Notify) check(letters Letters) error {
	if len(n.Mail) > 0 && letters.SMTP == "" {
		return errors.New("notify: mail goes by the server of letters: give letters.smtp and letters.from")
	}
	for i, h := range n.Webhooks {
		if h.URL == "" || h.SecretFile == "" {
			return fmt.Errorf("notify.webhooks[%d]: url and secret_file go together: where to, and what it is signed with", i)
		}
	}
	for name, d := range map[string]time.Duration{"every": n.Every, "digest": n.Digest, "due_within": n.DueWithin, "silent_after": n.SilentAfter} {
		if d < 0 {
			return fmt.Errorf("notify.%s is below zero", name)
		}
	}
	return nil
}
