// Withkafka runs a command with KAFKA_BROKERS set to an Apache Kafka broker that
// is started for it on loopback, and gone with it. Where KAFKA_BROKERS is set
// already, it just runs the command.
//
//	go run habeas.dev/pkg/bus/kafkatest/withkafka go test ./pkg/bus/...
//
// With -jars it prints the folder of Apache Kafka's jars instead, filled where they
// aren't there yet.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"habeas.dev/pkg/bus/kafkatest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code) //nolint:forbidigo // this is main
}

// run returns the command's status.
func run(ctx context.Context, args []string) (int, error) {
	if len(args) == 0 {
		return 2, errors.New("withkafka: want a command, as in: withkafka go test ./pkg/bus")
	}
	if args[0] == "-jars" {
		jars, err := kafkatest.Jars(ctx)
		if err != nil {
			return 1, err
		}
		_, err = fmt.Println(jars)
		return 0, err
	}
	cmd := exec.CommandContext(ctx, args[0], args[1:]...) //nolint:gosec // running it is what this program is for
	cmd.Env = append(os.Environ(), "HABEAS_TEST_KAFKA=1") // tests that stop their broker get one of their own
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	if os.Getenv("KAFKA_BROKERS") == "" {
		b, err := kafkatest.Run(ctx)
		if err != nil {
			return 1, err
		}
		defer b.Close()
		cmd.Env = append(cmd.Env, "KAFKA_BROKERS="+strings.Join(b.Addrs(kafkatest.Plaintext), ","))
	}
	// An interrupt is the command's to answer; a second one isn't needed.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return max(1, exit.ExitCode()), nil
	}
	if err != nil {
		return 1, fmt.Errorf("withkafka: %w", err)
	}
	return 0, nil
}
