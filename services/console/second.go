package console

import (
	"context"
	"errors"
	"strconv"
	"time"

	"habeas.dev/services/internal/core"
)

// errAsked says that what somebody wanted done wasn't: a second person is asked to agree first.
var errAsked = errors.New("a second person is asked to agree")

// do applies a command; every act of a person goes by it (TestEveryActMayNeedASecond). Where a second person must agree first, they are asked, and it is
// [errAsked].
func (c *Console) do(ctx context.Context, id string, command core.Command) (core.State, error) {
	s, err := c.Requests.Do(ctx, id, command)
	if !errors.Is(err, core.ErrSecond) {
		return s, err
	}
	if s, err = c.Requests.Do(ctx, id, core.AskSecond{Act: command}); err != nil {
		return s, err
	}
	return s, errAsked
}

// second judges what another person wants done.
func second(c *Console, u User, f values, now time.Time) (core.Command, error) {
	asked, err := strconv.Atoi(f.Get("asked"))
	verdict := f.Get("verdict")
	if err != nil || verdict != "agree" && verdict != "decline" {
		return nil, errChoice
	}
	return core.JudgeSecond{By: u.By(), Asked: asked, Agreed: verdict == "agree", Reason: f.Get("reason"), Calendar: c.Policy, Now: now}, nil
}

// Mine reports whether somebody asked themselves for what the act judges.
func (a act) Mine(u User) bool { return a.Second != nil && a.Second.Mine(u.By()) }
