package lifecycle

import (
	"context"
	"slices"

	"habeas.dev/services/internal/core"
)

// reopen takes up again what was refused of the request that an upheld appeal or complaint is
// about, before that is decided: whoever reads the decision finds the request going on. Where
// the decision would be refused, or the earlier request can't be taken up any more, nothing is
// done; the decision then says nothing of it. It returns the command to apply, which knows who
// has refused anything by then.
func (l *Lifecycle) reopen(ctx context.Context, requestID string, c core.Command) (core.Command, error) {
	decision, unwrap := grievance(c)
	if decision == nil {
		return c, nil
	}
	v, err := l.load(ctx, requestID)
	if err != nil {
		return c, err
	}
	if v.state.Accepted.About == nil {
		return c, nil // what a person decides needn't be about an earlier request
	}
	about := v.state.Accepted.About.RequestID
	earlier, err := l.load(ctx, about)
	if err != nil {
		return c, err
	}
	decision.RefusedBy = earlier.state.RefusedBy
	c = unwrap(*decision)
	if !takes(v.state, c) || decision.Finding == core.Dismissed {
		return c, nil // a command that isn't taken is told why
	}
	if refused := earlier.state.Status == core.StatusRefused; !refused && decision.Finding == core.PartlyUpheld && len(decision.Give) == 0 {
		return c, nil // which part is given, nobody has said
	}
	again := core.Reopen{By: decision.By, Grievance: requestID, Parts: decision.Give, Now: decision.Now}
	switch reopened := slices.Contains(earlier.state.ReopenedBy, requestID); {
	case reopened: // before a crash
	case !takes(earlier.state, again):
		return c, nil // nothing of it is refused, or what Habeas held of it is gone
	default:
		if _, err := l.Do(ctx, about, again); err != nil {
			return c, err
		}
	}
	decision.Reopened = true
	return unwrap(*decision), nil
}

// takes reports whether a command changes something.
func takes(s core.State, c core.Command) bool {
	facts, err := core.Decide(s, c)
	return err == nil && len(facts) > 0
}

// grievance returns the decision of a grievance that a command is, and how to make the
// command of a changed one; nil where it is none.
func grievance(c core.Command) (*core.DecideGrievance, func(core.DecideGrievance) core.Command) {
	switch c := c.(type) {
	case core.DecideGrievance:
		return &c, func(d core.DecideGrievance) core.Command { return d }
	case core.IfUnchanged:
		if decision, ok := c.Command.(core.DecideGrievance); ok {
			return &decision, func(d core.DecideGrievance) core.Command { return core.IfUnchanged{Acts: c.Acts, Command: d} }
		}
	}
	return nil, nil
}
