// Habeas fulfils what people ask of their data: one binary for the services,
// the demo, and who follows requests.
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"

	"habeas.dev/services/internal/terminal"
)

type commands struct {
	Demo    demoCommand    `cmd:"" group:"try" help:"Start everything with invented people, fulfil some requests, and go on serving."`
	Sandbox sandboxCommand `cmd:"" group:"try" help:"Run stand-ins for the vendors alone, to develop a worker against."`

	Submit   submitCommand   `cmd:"" group:"follow" help:"Submit a request."`
	Requests requestsCommand `cmd:"" group:"follow" help:"List requests."`
	Trace    traceCommand    `cmd:"" group:"follow" help:"Tell a request's life: each system's steps, waits and outcomes."`
	Open     openCommand     `cmd:"" group:"follow" help:"Open a request's page of the console in a browser."`
	Bundle   bundleCommand   `cmd:"" group:"follow" help:"Get the answer to a request."`
	Receipt  receiptCommand  `cmd:"" group:"follow" help:"Get the receipt of an ended request, with the proof that others verify."`
	Verify   verifyCommand   `cmd:"" group:"follow" help:"Check an answer or a receipt, and name what is wrong with it."`

	Plan           planCommand           `cmd:"" group:"act" help:"Show what an erasure is to touch, and what must stay; with --keys, record by record."`
	Prove          proveCommand          `cmd:"" group:"act" help:"Ask again whether anything of an answered erasure has come back."`
	Notices        noticesCommand        `cmd:"" group:"act" help:"List who received data that was changed and hasn't answered; say that one was told."`
	Preview        previewCommand        `cmd:"" group:"act" help:"Print what a correction changes, old and new, before it is made."`
	Retry          retryCommand          `cmd:"" group:"act" help:"Take up again what failed."`
	Answer         answerCommand         `cmd:"" group:"act" help:"Say that a task was done by hand."`
	Review         reviewCommand         `cmd:"" group:"act" help:"Look at gathered records that may tell of other people, before they are answered."`
	Said           saidCommand           `cmd:"" group:"act" help:"Read what workers said in their own words of a request's tasks, which is sealed."`
	Note           noteCommand           `cmd:"" group:"act" help:"Note something about a request, for colleagues."`
	Assign         assignCommand         `cmd:"" group:"act" help:"Say who has a request in hand."`
	Identity       identityCommand       `cmd:"" group:"act" help:"Ask for proof of who asks, and accept or reject it."`
	Earlier        earlierCommand        `cmd:"" group:"act" help:"Say whether another request is of the same person, where nobody knows."`
	Clarify        clarifyCommand        `cmd:"" group:"act" help:"Ask the person what is meant, and go on with the answer."`
	Extend         extendCommand         `cmd:"" group:"act" help:"Move the due date as far as the law allows, and tell the person why."`
	Hold           holdCommand           `cmd:"" group:"act" help:"Keep records from being erased, for a lawsuit or an inquiry."`
	Deliver        deliverCommand        `cmd:"" group:"act" help:"Tell the person again where the answer is."`
	Merge          mergeCommand          `cmd:"" group:"act" help:"End a request that another one answers."`
	Forget         forgetCommand         `cmd:"" group:"act" help:"Destroy what Habeas itself holds of an ended request, before its time."`
	Second         secondCommand         `cmd:"" group:"act" help:"Agree or not to what a colleague wants done, where a second person must."`
	Decide         decideCommand         `cmd:"" group:"act" help:"Decide an appeal, a complaint, or what else the law leaves to a person."`
	Refuse         refuseCommand         `cmd:"" group:"act" help:"End a request on a ground of the law."`
	Approve        approveCommand        `cmd:"" group:"act" help:"Have a correction made that waits for a person."`
	Systems        systemsCommand        `cmd:"" group:"act" help:"Say of a system that it was renamed, or is out of use, in all requests."`
	ReplayErasures replayErasuresCommand `cmd:"" group:"act" help:"Erase again what a restored backup has brought back."`
	Cancel         cancelCommand         `cmd:"" group:"act" help:"End a request without an answer."`

	Up          upCommand          `cmd:"" group:"run" help:"Run all services in this process."`
	Intake      intakeCommand      `cmd:"" group:"run" help:"Run intake by itself: the doors for requests."`
	Coordinator coordinatorCommand `cmd:"" group:"run" help:"Run a coordinator by itself, with its relay."`
	Worker      workerCommand      `cmd:"" group:"run" help:"Run the workers of some systems by themselves."`
	Aggregator  aggregatorCommand  `cmd:"" group:"run" help:"Run an aggregator by itself: it writes the answers."`
	Letters     lettersCommand     `cmd:"" group:"run" help:"Run by itself what writes letters to people."`
	Console     consoleCommand     `cmd:"" group:"run" help:"Run the console by itself: support agents' pages."`
	Portal      portalCommand      `cmd:"" group:"run" help:"Run the portal by itself: where people ask for their data."`

	Login       loginCommand          `cmd:"" group:"check" help:"Sign in, so that what you do on a request is yours in the facts."`
	Logout      logoutCommand         `cmd:"" group:"check" help:"End what habeas login began."`
	Token       tokenCommand          `cmd:"" group:"check" help:"Make, list and revoke the tokens by which callers open the HTTP door."`
	Sessions    sessionsCommand       `cmd:"" group:"check" help:"End the sessions of people at the console."`
	Searches    searchesCommand       `cmd:"" group:"check" help:"List who searched for whom at the console."`
	Journal     journalCommand        `cmd:"" group:"check" help:"Bring the journal's tables up to date, and grant each service what it needs of them."`
	Size        sizeCommand           `cmd:"" group:"check" help:"Say what lies where, and how much of it is of one request."`
	Migrate     journalMigrateCommand `cmd:"" hidden:"" help:"What habeas journal migrate does."`
	Metrics     metricsCommand        `cmd:"" group:"check" help:"Count a year's requests under a law: received, complied with, denied, and in how many days."`
	Config      configCommand         `cmd:"" group:"check" help:"Check the configuration."`
	Conform     conformCommand        `cmd:"" group:"check" help:"Ask a worker over HTTP, in any language, what it must answer."`
	Try         tryCommand            `cmd:"" group:"check" help:"Ask a live system what an erasure of one person would do; nothing is changed."`
	Audit       auditCommand          `cmd:"" group:"check" help:"Check the journal as a whole, and name what was altered."`
	Reconcile   reconcileCommand      `cmd:"" group:"check" help:"After the journal was restored from a backup: take up again what it lacks, and name what can't be."`
	Replay      replayCommand         `cmd:"" group:"check" help:"Tell the facts of the journal on dsar.events again, from a moment on; or make lists anew from them."`
	Keys        keysCommand           `cmd:"" group:"check" help:"Make the keys that sign, and print those that verify."`
	Topics      topicsCommand         `cmd:"" group:"check" help:"Create the topics of Kafka that are missing, and name what differs."`
	Health      healthCommand         `cmd:"" group:"check" help:"Ask a running service whether it is well, as a container's health check."`
	Lint        lintCommand           `cmd:"" group:"check" help:"Fail where personal data is held that manifests leave out."`
	Manifest    manifestCommand       `cmd:"" group:"check" help:"Draft a manifest from a live database, and print the schema of manifests."`
	Law         lawCommand            `cmd:"" group:"check" help:"Check the file of a law, and name what a lawyer should look at."`
	Records     recordsCommand        `cmd:"" group:"check" help:"Write the record of processing activities (GDPR art. 30), from the manifests."`
	OverdueData overdueDataCommand    `cmd:"" group:"check" help:"Count what databases hold beyond its storage period."`
	Bench       benchCommand          `cmd:"" group:"check" help:"Measure this machine: accesses and erasures a second, a lone request, a large answer."`
	Completion  completionCommand     `cmd:"" group:"check" help:"Print what has a shell complete commands, flags and requests."`
	Complete    completeCommand       `cmd:"" hidden:"" help:"Print what may come next, for the script of habeas completion."`
	Version     versionCommand        `cmd:"" group:"check" help:"Print the version."`
}

// groups are the headings of habeas --help, in their order.
var groups = []kong.Group{
	{Key: "try", Title: "Try it:"},
	{Key: "follow", Title: "Send and follow requests:"},
	{Key: "act", Title: "Act on a request (your name is in its trace: that of habeas login, else HABEAS_USER or USER, as local):"},
	{Key: "run", Title: "Run it:"},
	{Key: "check", Title: "Set up and check:"},
}

const description = `Habeas fulfils what people ask of their data: it asks every system, and assembles the answer or the proof of erasure.

Start with: habeas demo

Commands that look at requests find them by --data (the folder of a demo or of habeas up) or --config (the configuration file), which HABEAS_DATA and HABEAS_CONFIG may name once for all. Exit status: 0 where all is well, 1 where something is not, 2 where the call is wrong.`

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

// run runs the program and returns the exit status, 0 where all is well, 1 where
// something is not, 2 where the call is wrong.
func run(ctx context.Context, args []string) int {
	parser, err := newParser(kong.BindTo(ctx, (*context.Context)(nil)))
	if err != nil {
		panic(err) // the commands above are wrong
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	call, err := parser.Parse(args)
	if err != nil {
		terminal.Printf(os.Stderr, "habeas: %s; %s\n", terminal.Lines(err.Error()), whereHelpIs(err))
		return 2
	}
	if err := bindActor(ctx, call); err != nil {
		terminal.Printf(os.Stderr, "habeas: %s\n", terminal.Lines(explain(err)))
		return 1
	}
	switch err := call.Run(); {
	case err == nil:
		return 0
	case errors.Is(err, errSilent):
		return 1
	case logsEnd(call, err):
		return 1
	default:
		terminal.Printf(os.Stderr, "habeas: %s\n", terminal.Lines(explain(err)))
		return 1
	}
}

// bindActor has a command that acts know who signed in.
func bindActor(ctx context.Context, call *kong.Context) error {
	command := call.Selected()
	if command == nil || command.Group == nil || command.Group.Key != "act" {
		return nil
	}
	of, ok := command.Target.Addr().Interface().(interface {
		signedIn(ctx context.Context) (context.Context, error)
	})
	if !ok {
		return nil
	}
	ctx, err := of.signedIn(ctx)
	if err != nil {
		return err
	}
	call.BindTo(ctx, (*context.Context)(nil))
	return nil
}

// newParser returns what reads the command line.
func newParser(more ...kong.Option) (*kong.Kong, error) {
	return kong.New(new(commands), append([]kong.Option{kong.Name("habeas"), kong.Description(description), kong.ExplicitGroups(groups), kong.Help(printHelp),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, FlagsLast: true, NoExpandSubcommands: true})}, more...)...)
}

// whereHelpIs names the help of the command that a wrong call meant.
func whereHelpIs(err error) string {
	var wrong *kong.ParseError
	if errors.As(err, &wrong) && wrong.Context != nil {
		if command := wrong.Context.Selected(); command != nil {
			return command.FullPath() + " --help explains it"
		}
	}
	return "habeas --help lists the commands"
}

// errSilent ends with status 1 where everything was said already.
var errSilent = errors.New("said already")
