package node

import (
	"fmt"

	"habeas.dev/pkg/manifest"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/internal/mail"
	"habeas.dev/services/internal/recipients"
)

// teller returns what sends notices to recipients.
func (n *Node) teller() (*recipients.Teller, error) {
	catalogue, err := Recipients(n.Config)
	if err != nil {
		return nil, err
	}
	book, err := n.Installation.Laws()
	if err != nil {
		return nil, err
	}
	t := &recipients.Teller{Requests: n.Installation.Requests, Vault: n.Installation.Vault, Recipients: catalogue, Manifests: map[string]*manifest.Manifest{}, Door: n.Config.DoorURL, Languages: n.languages, Now: now}
	for _, m := range n.Manifests {
		t.Manifests[m.System] = m
	}
	told := aggregator.FromBook(book, n.said(), n.purposes())
	t.Sender = func(jurisdiction, lang string) string {
		return told(jurisdiction, n.languages.For(lang), "", now(), now()).Entity
	}
	if l := n.Config.Letters; l.SMTP != "" {
		server := mail.Server{Address: l.SMTP, From: l.From, User: l.User, PasswordFile: l.PasswordFile, Plain: l.Plain}
		if err := server.Check(); err != nil {
			return nil, fmt.Errorf("letters: %w", err)
		}
		t.Mail = server
	}
	return t, nil
}
