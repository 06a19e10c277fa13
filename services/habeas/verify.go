package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"habeas.dev/services/internal/bundle"
)

type verifyCommand struct {
	File string `arg:"" help:"The bundle, as bundle get left it." placeholder:"FILE"`
	JSON bool   `help:"Print JSON."`
}

// Help implements kong.HelpProvider.
func (verifyCommand) Help() string {
	return `Checks every file of the answer against the lists of hashes in it. Exit status 0: it
is whole; 1: a line for each thing that is wrong.

  habeas bundle get 3cf5cf5f -o answer.zip && habeas verify answer.zip`
}

func (c *verifyCommand) Run(ctx context.Context) error {
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no file", c.File)
	}
	report, err := bundle.Verify(ctx, f, info.Size())
	if err != nil {
		return err
	}
	if c.JSON {
		if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
			return err
		}
	} else {
		for _, p := range report.Problems {
			fmt.Println(p)
		}
	}
	if len(report.Problems) > 0 {
		return errors.Join(errSilent)
	}
	if !c.JSON {
		fmt.Printf("%s is whole: %d files, %d bytes of payload, every hash is right.\n", c.File, report.Files, report.Bytes)
	}
	return nil
}
