// Habeas fulfils what people ask of their data: one binary for the services,
// the demo, and who follows requests.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
)

type commands struct {
	Demo        demoCommand        `cmd:"" help:"Start everything with seeded systems, fulfil five requests, and go on serving."`
	Up          upCommand          `cmd:"" help:"Run all services in this process."`
	Intake      intakeCommand      `cmd:"" help:"Run intake by itself: the doors for requests."`
	Coordinator coordinatorCommand `cmd:"" help:"Run a coordinator by itself, with its relay."`
	Aggregator  aggregatorCommand  `cmd:"" help:"Run an aggregator by itself."`
	Letters     lettersCommand     `cmd:"" help:"Run by itself what writes letters to people."`
	Console     consoleCommand     `cmd:"" help:"Run by itself the console: support agents' pages."`
	Worker      workerCommand      `cmd:"" help:"Run the workers of some systems by themselves."`
	Sandbox     sandboxCommand     `cmd:"" help:"Run the stand-ins for the vendors alone."`
	Health      healthCommand      `cmd:"" help:"Ask a running service whether it is well, as a container's health check."`
	Config      configCommand      `cmd:"" help:"The configuration: check it."`
	Lint        lintCommand        `cmd:"" help:"The coverage gate: fail where personal data is held that manifests leave out."`
	Records     recordsCommand     `cmd:"" help:"The record of processing activities (GDPR art. 30), from the manifests."`
	Topics      topicsCommand      `cmd:"" help:"Kafka's topics: create what is missing, and name what differs."`
	Submit      submitCommand      `cmd:"" help:"Submit a request."`
	Requests    requestsCommand    `cmd:"" help:"List requests."`
	Trace       traceCommand       `cmd:"" help:"Tell a request's life: each system's steps, waits, outcomes."`
	Bundle      bundleCommand      `cmd:"" help:"Answers."`
	Verify      verifyCommand      `cmd:"" help:"Check a bundle, and name what is wrong with it."`
	Retry       retryCommand       `cmd:"" help:"Take up again what failed."`
	Assign      assignCommand      `cmd:"" help:"Say who has a request in hand."`
	Cancel      cancelCommand      `cmd:"" help:"End a request without an answer."`
	Extend      extendCommand      `cmd:"" help:"Move the due date as far as the law allows, and tell the person why."`
	Identity    identityCommand    `cmd:"" help:"Ask for proof of who asks, and accept or reject it."`
	Clarify     clarifyCommand     `cmd:"" help:"Ask the person what is meant, and go on with the answer."`
	Refuse      refuseCommand      `cmd:"" help:"End a request on a ground of the law."`
	Merge       mergeCommand       `cmd:"" help:"End a request that another one answers."`
	Hold        holdCommand        `cmd:"" help:"Keep records from being erased, for a lawsuit or an inquiry."`
	Review      reviewCommand      `cmd:"" help:"Look at gathered records that may tell of other people, before they are answered."`
	Answer      answerCommand      `cmd:"" help:"Say that a task was done by hand."`
	Bench       benchCommand       `cmd:"" help:"Measure this machine: requests per second, a lone request, a large bundle."`
	Version     versionCommand     `cmd:"" help:"Print the version."`
}

// gcPercent is by how much of what lives the heap may grow until it is collected:
// twice as much as by default halves what collecting costs, an eighth of all
// processor time, for some 60 MiB at full load. GOGC in the environment goes first.
const gcPercent = 200

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// run returns the program: it returns the exit status, 0 where all is well, 1 where
// something is not, 2 where the call is wrong.
func run(ctx context.Context, args []string) int {
	var c commands
	parser, err := kong.New(&c, kong.Name("habeas"),
		kong.Description("Habeas fulfils what people ask of their data: it asks every system, and assembles the answer or the proof of erasure.\n\nStart with: habeas demo"),
		kong.UsageOnError(), kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true}),
		kong.BindTo(ctx, (*context.Context)(nil)))
	if err != nil {
		panic(err) // the commands above are wrong
	}
	call, err := parser.Parse(args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "habeas:", err, "(habeas --help lists the commands)")
		return 2
	}
	switch err := call.Run(); {
	case err == nil:
		return 0
	case errors.Is(err, errSilent):
		return 1
	default:
		fmt.Fprintln(os.Stderr, "habeas:", err)
		return 1
	}
}

// errSilent ends with status 1 where everything was said already.
var errSilent = errors.New("said already")
