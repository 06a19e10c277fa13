package console

import (
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/manualrecords"
)

// answer ends a task that a person has done by hand. Files go from the connection
// into the vault, sealed on the way: they are never on a disk in the clear. What is
// sealed for a task that then can't be ended is never disclosed: a bundle holds
// only what a fact names.
func (c *Console) answer(w http.ResponseWriter, r *http.Request, u User) {
	id, ok := c.requestID(w, r, u)
	if !ok {
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxFiles+maxForm)
	f := values{url.Values{}}
	do, err := c.attestation(r, u, id, f)
	if err == nil {
		_, err = c.do(r.Context(), id, core.IfUnchanged{Acts: f.acts(), Command: do})
	}
	if err != nil {
		c.again(w, r, u, id, f, err)
		return
	}
	http.Redirect(w, r, "/requests/"+id+"?done=answer", http.StatusSeeOther)
}

// attestation reads the form by which a person ends a task; its files come last.
func (c *Console) attestation(r *http.Request, u User, id string, f values) (core.Attest, error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return core.Attest{}, errFileParts
	}
	var do core.Attest
	begun := false
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return do, tooLarge(err, errFileParts)
		}
		dataset, isFile := strings.CutPrefix(part.FormName(), "file:")
		if !isFile {
			if begun {
				return do, errFileParts
			}
			if err := f.read(part); err != nil {
				return do, err
			}
			continue
		}
		if part.FileName() == "" {
			continue // none was chosen
		}
		if !begun {
			if do, err = c.attest(u, f); err != nil {
				return do, err
			}
			begun = true
		}
		if err := c.deposit(r, id, &do, dataset, part); err != nil {
			return do, err
		}
	}
	if !begun {
		return c.attest(u, f)
	}
	return do, nil
}

// read reads one field.
func (f values) read(part *multipart.Part) error {
	text, err := io.ReadAll(io.LimitReader(part, maxForm+1))
	if err != nil || len(text) > maxForm {
		return errTooLarge
	}
	f.Add(part.FormName(), strings.TrimSpace(string(text)))
	return nil
}

// attest returns what the form's fields say.
func (c *Console) attest(u User, f values) (core.Attest, error) {
	do := core.Attest{By: u.By(), Reason: f.Get("reason"), System: f.Get("system"), Action: dsar.Action(f.Get("action")), Outcome: dsar.Outcome(f.Get("outcome")), Release: f.Get("release") == "yes", Same: f.Values["same"], Now: c.now()}
	if err := f.check(); err != nil {
		return do, err
	}
	for _, name := range c.datasets(do.System) {
		text := f.Get("records:" + name)
		if text == "" {
			continue
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 || n > manualrecords.MaxRecords {
			return do, errChoice
		}
		if n > 0 {
			do.Counts = append(do.Counts, manualrecords.Counts(do.Outcome, name, n, f.Get("ground")))
		}
	}
	return do, nil
}

// deposit seals a file of records in the vault.
func (c *Console) deposit(r *http.Request, id string, do *core.Attest, dataset string, file io.Reader) error {
	d := c.dataset(do.System, dataset)
	switch {
	case d == nil, do.Outcome != dsar.Gathered:
		return errChoice
	case slices.ContainsFunc(do.Counts, func(n dsar.Counts) bool { return n.Dataset == dataset }):
		return errTwice
	}
	s, err := c.state(r.Context(), id)
	if err != nil {
		return err
	}
	task := s.Task(do.System, dsar.Gather)
	if task == nil || task.Status != core.TaskIsFailed {
		return core.ErrNothingToAttest
	}
	o, n, err := manualrecords.Deposit(r.Context(), c.Vault, id, do.System, task.Attempt, d, file)
	switch {
	case errors.Is(err, manualrecords.ErrFile):
		return fmt.Errorf("%w: %w", core.ErrNotAllowed, err)
	case err != nil:
		return tooLarge(err, err)
	}
	do.Objects, do.Counts = append(do.Objects, o), append(do.Counts, n)
	return nil
}

func (c *Console) dataset(system, name string) *manifest.Dataset {
	for _, m := range c.Manifests {
		if m.System == system {
			return m.Dataset(name)
		}
	}
	return nil
}

// tooLarge reports whether an error means that too much was sent.
func tooLarge(err, other error) error {
	var limit *http.MaxBytesError
	if errors.As(err, &limit) {
		return errTwice
	}
	return other
}
