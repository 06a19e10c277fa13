package main

import (
	"context"
	"errors"
	"strings"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/words"
)

// localRole is the role of whoever calls a command: they hold the installation's key.
const localRole = core.Officer

// commandFor says, of each thing that can be done about a request, which command does
// it; what stands in capitals is for the person to fill in (TestEveryVerbHasACommand).
var commandFor = map[core.Verb]string{
	core.VerbAttest: "answer", core.VerbRetry: "retry", core.VerbAcceptPlan: "retry --accept-plan", core.VerbJudgeProof: "identity --accept",
	core.VerbJudgeEarlier: "earlier", core.VerbClarify: "clarify --answer", core.VerbTryNow: "retry --system SYSTEM", core.VerbGatherAgain: "retry --system SYSTEM", core.VerbDeliver: "deliver",
	core.VerbNewPassphrase: "deliver --passphrase", core.VerbRevokeAnswer: "deliver --revoke",
	core.VerbAskProof: "identity --ask", core.VerbAskClarification: "clarify --ask", core.VerbExtend: "extend", core.VerbHold: "hold", core.VerbLift: "hold --lift",
	core.VerbSecond: "second", core.VerbDecide: "decide", core.VerbRefuse: "refuse", core.VerbRefusePart: "refuse --part SYSTEM/DATASET", core.VerbRefuseField: "refuse --field SYSTEM/DATASET.COLUMN", core.VerbApprove: "approve", core.VerbGivePart: "refuse --give --part SYSTEM/DATASET", core.VerbAssign: "assign", core.VerbNote: "note", core.VerbReveal: "review", core.VerbOpenPlan: "plan --keys --reason TEXT", core.VerbProveAgain: "prove", core.VerbSettleNotice: "notices", core.VerbMerge: "merge", core.VerbCancel: "cancel",
}

// mayBeDone returns the clause that names the commands for what may be done; empty where
// that is nothing. To look and to note is no act, and left out.
func mayBeDone(all core.Choices) string {
	var commands []string
	for _, c := range all {
		if c.Verb == core.VerbReveal || c.Verb == core.VerbOpenPlan || c.Verb == core.VerbNote {
			continue
		}
		command, perSystem := strings.CutSuffix(commandFor[c.Verb], " SYSTEM")
		if !perSystem {
			commands = append(commands, command)
			continue
		}
		for _, system := range c.Systems {
			commands = append(commands, command+" "+system)
		}
	}
	if len(commands) == 0 {
		return ""
	}
	return "what may be done now: habeas " + strings.Join(commands, ", ")
}

// allowed returns what may be done about a request now, as the core says.
func allowed(ctx context.Context, in *installation.Installation, id string) (core.Choices, error) {
	book, err := in.Laws()
	if err != nil {
		return nil, err
	}
	s, err := in.Requests.State(ctx, id)
	if err != nil || !s.Exists() {
		return nil, err
	}
	return s.AllowedTo(who(ctx), localRole, book, now()), nil
}

// do applies a command of the core to a request. A refusal says what may be done
// instead.
func do(ctx context.Context, in *installation.Installation, id string, c core.Command) (core.State, error) {
	state, err := in.Requests.Do(ctx, id, c)
	if errors.Is(err, core.ErrSecond) {
		err = askSecond(ctx, in, id, c)
	}
	if err == nil {
		return state, nil
	}
	return state, instead(ctx, in, id, err)
}

// instead says of which request an error is; where it is a refusal, also what may be
// done with the request instead.
func instead(ctx context.Context, in *installation.Installation, id string, err error) error {
	wrong := &requestError{id: id, cause: err}
	if _, refused := words.English().Refusal(err); refused {
		wrong.may, _ = allowed(ctx, in, id) // the refusal is told without, where the journal doesn't answer now
	}
	return wrong
}
