package portal

import (
	"context"
	"crypto/hmac"
	"fmt"

	"gocloud.dev/gcerrors"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/outbox"
)

// rememberFollower lets who asked for somebody else come back.
func (p *Portal) rememberFollower(ctx context.Context, d draft) error {
	return p.Outbox.WriteAll(ctx, outbox.FollowerName(d.RequestID), []byte(p.keys.mailbox(d.Email)), nil)
}

// followed returns proven where a draft's mailbox is that of who asked for somebody else.
func (p *Portal) followed(ctx context.Context, d draft) (dsar.Assurance, error) {
	name, err := p.Outbox.ReadAll(ctx, outbox.FollowerName(d.RequestID))
	switch {
	case gcerrors.Code(err) == gcerrors.NotFound:
		return "", nil
	case err != nil:
		return "", fmt.Errorf("portal: outbox: %w", err)
	case !hmac.Equal(name, []byte(p.keys.mailbox(d.Email))):
		return "", nil
	}
	return dsar.AssuranceProven, nil
}
