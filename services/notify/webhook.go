package notify

import (
	"context"
	"errors"
	"fmt"
	"time"

	"habeas.dev/services/internal/webhook"
)

// eventType is the type of the event that a webhook gets.
const eventType = "habeas.attention.v1"

// Webhook posts messages to an address, signed.
type Webhook struct {
	// URL is the address to post to: https, except on loopback.
	URL string
	// SecretFile holds the secret: whsec_ and 24 to 64 bytes in base64.
	SecretFile string
	Now        func() time.Time
}

var _ Channel = Webhook{}

func (h Webhook) hook() webhook.Hook { return webhook.Hook(h) }

// Check returns what is wrong with the configuration, before anything is sent.
func (h Webhook) Check() error { return h.hook().Check() }

// Deliver implements [Channel].
func (h Webhook) Deliver(ctx context.Context, m Message) error {
	err := h.hook().Post(ctx, m.ID, eventType, m.At, m)
	if errors.Is(err, webhook.ErrRefused) {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return err
}
