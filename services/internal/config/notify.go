package config

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"go.yaml.in/yaml/v3"
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
	// Language is the one of mail, where an address has none of its own: en
	// (default) or fr.
	Language string `yaml:"language"`
	// Mail are addresses of people; by the server of letters.
	Mail []Recipient `yaml:"mail"`
}

// Webhook is where messages are posted, signed as Standard Webhooks says.
type Webhook struct {
	URL string `yaml:"url"`
	// SecretFile holds whsec_ and 24 to 64 bytes in base64.
	SecretFile string `yaml:"secret_file"`
}

// Recipient is whom mail goes to: an address, or {to: ADDRESS, language: fr}.
type Recipient struct {
	To       string `yaml:"to"`
	Language string `yaml:"language"` // empty: the one of all mail
}

// UnmarshalYAML reads either form.
func (r *Recipient) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.ScalarNode {
		return node.Decode(&r.To)
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if key := node.Content[i].Value; node.Kind != yaml.MappingNode || key != "to" && key != "language" {
			return fmt.Errorf("line %d: notify.mail takes addresses, or {to: ADDRESS, language: fr}", node.Line)
		}
	}
	type plain Recipient
	return node.Decode((*plain)(r))
}

// DefaultLanguage returns the one of mail to an address that has none of its own.
func (n Notify) DefaultLanguage() string { return cmp.Or(n.Language, "en") }

// ByLanguage returns the addresses by the language of their mail.
func (n Notify) ByLanguage() map[string][]string {
	all := map[string][]string{}
	for _, r := range n.Mail {
		language := cmp.Or(r.Language, n.DefaultLanguage())
		all[language] = append(all[language], r.To)
	}
	return all
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
