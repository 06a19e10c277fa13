package node

import (
	"fmt"
	"net/mail"
	"strings"

	"habeas.dev/services/internal/config"
	transport "habeas.dev/services/internal/mail"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/topics"
	"habeas.dev/services/internal/watch"
	"habeas.dev/services/internal/words"
	"habeas.dev/services/notify"
)

// startNotify starts what watches over the systems, and tells people what waits
// for them where somebody is to be told. Every coordinator has both: one of them
// tells.
func (n *Node) startNotify(book *policy.Book) error {
	if err := n.consume(topics.UserCoordinator, watch.Group, watch.New(n.Installation.Journal, now, n.log).Run); err != nil {
		return err
	}
	channels, err := notifyChannels(n.Config, n.languages)
	if err != nil || len(channels) == 0 {
		return err
	}
	c := n.Config.Notify
	n.onceReconciled("notify", notify.New(notify.Config{Journal: n.Installation.Journal, Channels: channels, Every: c.Every, Digest: c.Digest, DueWithin: c.DueWithin, SilentAfter: c.SilentAfter,
		Console: strings.TrimSuffix(n.Config.Console.URL, "/"), Local: book.Local, Now: now, Log: n.log}).Run)
	return nil
}

// notifyChannels returns the channels that are configured, each checked.
func notifyChannels(cfg config.Config, languages *words.Languages) (map[string]notify.Channel, error) {
	channels := map[string]notify.Channel{}
	for i, h := range cfg.Notify.Webhooks {
		w := notify.Webhook{URL: h.URL, SecretFile: h.SecretFile, Now: now}
		if err := w.Check(); err != nil {
			return nil, fmt.Errorf("notify.webhooks[%d]: %w", i, err)
		}
		channels[fmt.Sprintf("webhook %d", i+1)] = w
	}
	if len(cfg.Notify.Mail) == 0 {
		return channels, nil
	}
	for i, r := range cfg.Notify.Mail {
		if a, err := mail.ParseAddress(r.To); err != nil || a.Address != r.To {
			return nil, fmt.Errorf("notify.mail[%d] isn't an address", i)
		}
	}
	l := cfg.Letters
	server := transport.Server{Address: l.SMTP, From: l.From, User: l.User, PasswordFile: l.PasswordFile, Plain: l.Plain}
	if err := server.Check(); err != nil {
		return nil, fmt.Errorf("letters: %w", err)
	}
	for language, to := range cfg.Notify.ByLanguage() {
		spoken := languages.Get(language)
		if spoken == nil {
			var tags []string
			for _, l := range languages.All() {
				tags = append(tags, l.Tag)
			}
			return nil, fmt.Errorf("notify: mail is written in %s, not in %q", strings.Join(tags, " or "), language)
		}
		name := "mail" // the same whatever the language is: what waits to be delivered goes by it
		if language != cfg.Notify.DefaultLanguage() {
			name += " " + language
		}
		channels[name] = notify.Mail{Server: server, To: to, Language: spoken}
	}
	return channels, nil
}
