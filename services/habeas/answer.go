package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"habeas.dev/services/aggregator"
	"habeas.dev/services/internal/bundle"
)

type bundleCommand struct {
	Get bundleGetCommand `cmd:"" help:"Decrypt the answer of a request into a ZIP file."`
}

type bundleGetCommand struct {
	place
	ID     string `arg:"" help:"The request's id."`
	Output string `short:"o" required:"" help:"Where the ZIP goes; - writes it to standard output." placeholder:"FILE"`
	Force  bool   `help:"Replace the file where it exists."`
}

func (c *bundleGetCommand) Run(ctx context.Context) error {
	in, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	id := strings.ToLower(c.ID)
	row, err := in.Journal.Row(ctx, id)
	if err != nil {
		return fmt.Errorf("no request %s here; habeas requests lists them", c.ID)
	}
	if row.Status != "completed" {
		return fmt.Errorf("request %s has no answer: it is %s; habeas trace %s tells what it waits for", c.ID, row.Status, c.ID)
	}
	r, err := aggregator.OpenBundle(ctx, in.Vault, in.Outbox, id)
	if err != nil {
		return err
	}
	defer r.Close()
	if c.Output == "-" {
		_, err = io.Copy(os.Stdout, r)
		return err
	}
	n, err := save(c.Output, c.Force, r)
	if err != nil {
		return err
	}
	_, err = fmt.Printf("%s: %d bytes. It holds personal data in the clear: unzip it and open data/index.html, and delete it when done.\n", c.Output, n)
	return err
}

// save writes a file that is whole or not there.
func save(path string, replace bool, r io.Reader) (n int64, err error) {
	if _, err := os.Stat(path); err == nil && !replace {
		return 0, fmt.Errorf("%s exists; choose another name, or replace it with --force", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".habeas-*") // readable by its owner only
	if err != nil {
		return 0, err
	}
	defer func() {
		f.Close()
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if n, err = io.Copy(f, r); err != nil {
		return n, err
	}
	if err = f.Close(); err != nil {
		return n, err
	}
	return n, os.Rename(f.Name(), path)
}

type verifyCommand struct {
	File string `arg:"" help:"The bundle, as bundle get left it." placeholder:"FILE"`
	JSON bool   `help:"Print JSON."`
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
