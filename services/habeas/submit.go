package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"habeas.dev/services/habeas/upstream"
)

type submitCommand struct {
	File string `short:"f" required:"" help:"The request as JSON (schemas/events/dsar.request.submitted.v1.schema.json); - reads standard input." placeholder:"FILE"`
	To   string `help:"The HTTP door of a running Habeas." default:"http://127.0.0.1:8420" env:"HABEAS_URL" placeholder:"URL"`
}

// maxRequest is more than the door takes: what is larger is refused there.
const maxRequest = 2 << 20

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
	answer, err := upstream.Post(ctx, c.To, data)
	if err != nil {
		return fmt.Errorf("%s: %w", c.To, err)
	}
	_, err = fmt.Println(string(answer))
	return err
}
