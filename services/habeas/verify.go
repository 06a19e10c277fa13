package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/evidence"
	"habeas.dev/services/internal/receipt"
	"habeas.dev/services/internal/signkey"
	"habeas.dev/services/internal/terminal"
)

type verifyCommand struct {
	File     string   `arg:"" help:"The bundle, as bundle get left it; a pack of evidence; an addendum, which ends in .json; or a receipt's proof, which ends in .tlog-proof." placeholder:"FILE"`
	Document string   `help:"The receipt that the proof is of." placeholder:"FILE"`
	Key      []string `help:"Who must have signed it: a verifier's key, or a file with one a line." placeholder:"KEY"`
	JSON     bool     `help:"Print JSON."`
}

// Help implements kong.HelpProvider.
func (verifyCommand) Help() string {
	return `Checks every file of the answer against the lists of hashes in it, and that the ZIP
shows every program the same. With --key, also that it was signed by that key, whose
verifier habeas keys show prints: hashes alone anybody can make anew. It needs no
installation and no network. Exit status 0: it is whole; 1: a line for each thing that
is wrong.

An addendum is checked by its signature, which bundle get left beside it.

A receipt is verified by its proof, likewise by nothing but the key. A pack of evidence,
which the console makes of a request, is verified by its list, with the facts' chain.

  habeas keys show --data ./habeas-data > habeas.pub
  habeas verify receipt.tlog-proof --document receipt.json --key habeas.pub
  habeas bundle get 3cf5cf5f -o answer.zip && habeas verify answer.zip --key habeas.pub
  habeas bundle get 3cf5cf5f --addendum 1 -o addendum.json && habeas verify addendum.json --key habeas.pub`
}

func (c *verifyCommand) Run(ctx context.Context) error {
	if strings.HasSuffix(c.File, ".tlog-proof") {
		return c.verifyReceipt()
	}
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
	keys, err := signkey.Verifiers(c.Key)
	if err != nil {
		return err
	}
	report, err := c.report(ctx, f, info.Size(), keys)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
			return err
		}
	} else {
		for _, p := range report.Problems {
			terminal.Printf(os.Stdout, "%s\n", p)
		}
	}
	if len(report.Problems) > 0 {
		return errors.Join(errSilent)
	}
	if !c.JSON {
		terminal.Printf(os.Stdout, "%s is whole: %d files, %d bytes of payload, every hash is right; %s.\n", c.File, report.Files, report.Bytes, signedBy(report))
	}
	return nil
}

// report checks a bundle, or an addendum by the signature beside it.
func (c *verifyCommand) report(ctx context.Context, f *os.File, size int64, keys []note.Verifier) (bundle.Report, error) {
	if evidence.Is(f, size) {
		return evidence.Verify(f, size, keys...)
	}
	if !strings.HasSuffix(c.File, ".json") {
		return bundle.Verify(ctx, f, size, keys...)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxAddendum))
	if err != nil {
		return bundle.Report{}, err
	}
	signature, err := os.ReadFile(c.File + signatureEnd)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return bundle.Report{}, err
	}
	return bundle.VerifyAddendum(text, signature, keys...), nil
}

// maxAddendum is far above what an addendum holds: numbers, by system and dataset.
const maxAddendum = 16 << 20

// signedBy says who made the answer, as far as it was checked.
func signedBy(r bundle.Report) string {
	switch {
	case r.Verified:
		return "signed by " + strings.Join(r.Signers, ", ")
	case len(r.Signers) > 0:
		return "whether " + strings.Join(r.Signers, ", ") + " really signed it is checked with --key"
	default:
		return "it isn't signed, so anybody may have made it"
	}
}

// verifyReceipt checks a receipt by its proof.
func (c *verifyCommand) verifyReceipt() error {
	if c.Document == "" || len(c.Key) == 0 {
		return errors.New("a proof is of a receipt and signed by a log's key; name both, with --document FILE and --key KEY")
	}
	keys, err := signkey.Verifiers(c.Key)
	if err != nil {
		return err
	}
	proof, err := os.ReadFile(c.File)
	if err != nil {
		return err
	}
	document, err := os.ReadFile(c.Document)
	if err != nil {
		return err
	}
	checkpoint, err := receipt.Verify(proof, document, keys...)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(struct {
			Origin  string   `json:"origin"`
			Size    int64    `json:"size"`
			Signers []string `json:"signers"`
		}{checkpoint.Origin, checkpoint.Size, checkpoint.Signers})
	}
	_, err = terminal.Printf(os.Stdout, "%s stands in the log %s of %d leaves, signed by %s.\n", c.Document, checkpoint.Origin, checkpoint.Size, strings.Join(checkpoint.Signers, ", "))
	return err
}
