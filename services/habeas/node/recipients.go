package node

import (
	"fmt"

	"habeas.dev/pkg/manifest"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/intake"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/mail"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/recipients"
)

// receivers returns who outside of the company receives the systems' data. What is done in a
// system that is with its recipient is done there: nobody tells it besides.
func (n *Node) receivers() []intake.Receiver {
	at := map[string]int{}
	var out []intake.Receiver
	ours := map[string]bool{}
	for _, m := range n.Manifests {
		ours[m.System] = true
	}
	for _, m := range n.Manifests {
		for i := range m.Datasets {
			d := &m.Datasets[i]
			ids, all := m.Receives(d)
			for j, id := range ids {
				r := all[j]
				if id == "" || r.Told.By == manifest.TellSystem && ours[r.Told.System] {
					continue
				}
				if _, known := at[id]; !known {
					at[id] = len(out)
					out = append(out, intake.Receiver{Recipient: core.Recipient{ID: id, By: wayOf(r.Told.By)}, Role: r.Role})
				}
				one := &out[at[id]]
				one.Receives = append(one.Receives, core.Reached{System: m.System, Dataset: d.Name})
			}
		}
	}
	return out
}

// wayOf returns how a recipient is told: by a person, where the system that is with it isn't
// one of the installation's.
func wayOf(by string) core.Way {
	if by == manifest.TellSystem {
		return core.WayHand
	}
	return core.Way(by)
}

// teller returns what sends notices to recipients.
func (n *Node) teller() (*recipients.Teller, error) {
	catalogue, err := Recipients(n.Config)
	if err != nil {
		return nil, err
	}
	book, err := policy.Load(n.Config.Laws...)
	if err != nil {
		return nil, err
	}
	t := &recipients.Teller{Requests: n.Installation.Requests, Vault: n.Installation.Vault, Recipients: catalogue, Manifests: map[string]*manifest.Manifest{}, Door: n.Config.DoorURL, Now: now}
	for _, m := range n.Manifests {
		t.Manifests[m.System] = m
	}
	told := aggregator.FromBook(book, n.said(), n.purposes())
	t.Sender = func(jurisdiction, lang string) string {
		return told(jurisdiction, n.languages.For(lang), "", now(), now()).Entity
	}
	t.Law = func(jurisdiction, lang string) string {
		return told(jurisdiction, n.languages.For(lang), "", now(), now()).Law
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
