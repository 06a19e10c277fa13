package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"habeas.dev/services/habeas/upstream"
)

type submitCommand struct {
	File      string `short:"f" required:"" help:"The request as JSON (schemas/events/dsar.request.submitted.v1.schema.json); - reads standard input." placeholder:"FILE"`
	TokenFile string `help:"The file of the caller's token (habeas token create); HABEAS_TOKEN may hold the token itself." placeholder:"FILE" type:"path"`
	To        string `help:"The HTTP door of a running Habeas." default:"http://127.0.0.1:8420" env:"HABEAS_URL" placeholder:"URL"`
}

// maxRequest is more than the door takes: what is larger is refused there.
const maxRequest = 2 << 20

// Help implements kong.HelpProvider.
func (submitCommand) Help() string {
	return `What a sign-up page or a support desk does by itself: the request goes through the
HTTP door, which says at once whether it is accepted. The same request sent again is
answered as the first time.

  habeas submit -f request.json --to http://127.0.0.1:8420
  HABEAS_TOKEN=habeas_… habeas submit -f request.json --to https://habeas.example.com

A request, at its least:
  {"request_id": "3cf5cf5f-c636-400d-ada5-b88deb454b01", "right": "access",
   "jurisdiction": "EEA", "source": "support-desk", "received_at": "2026-11-20T09:30:00Z",
   "subject": {"identifiers": [{"type": "email", "value": "anna@example.com", "verified": true}]}}`
}

func (c *submitCommand) Run(ctx context.Context) error {
	in := io.Reader(os.Stdin)
	if c.File != "-" {
		f, err := os.Open(c.File)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxRequest))
	if err != nil {
		return err
	}
	token, err := c.token()
	if err != nil {
		return err
	}
	answer, err := upstream.Post(ctx, c.To, token, data)
	if err != nil {
		return fmt.Errorf("%s: %w", c.To, err)
	}
	return printJSON(os.Stdout, answer)
}

// printJSON prints an answer in JSON as one line of it.
func printJSON(w io.Writer, answer []byte) error {
	if !json.Valid(answer) {
		return errors.New("the answer isn't JSON: is there another server at that address?")
	}
	return json.NewEncoder(w).Encode(json.RawMessage(answer))
}

// maxToken bounds a file that holds a token, in bytes.
const maxToken = 16 << 10

// token returns the caller's token; empty for a door that knows no callers. It comes by
// a file or the environment: arguments are seen by everybody on the machine.
func (c *submitCommand) token() (string, error) {
	if c.TokenFile == "" {
		return os.Getenv("HABEAS_TOKEN"), nil
	}
	f, err := os.Open(c.TokenFile)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxToken))
	return strings.TrimSpace(string(text)), err
}
