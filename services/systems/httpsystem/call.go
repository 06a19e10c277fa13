package httpsystem

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strconv"
	"time"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
	"habeas.dev/services/internal/webhook"
)

const (
	typeLines = "application/x-ndjson"
	// HeaderDeadline says after when nobody listens any more (RFC 3339).
	HeaderDeadline = "Habeas-Deadline"
)

// ask asks for several tasks in one call, and leaves in each what became of it. Its error
// is about all of them.
func (s *System) ask(ctx context.Context, action string, tasks []*task) error {
	defer func() {
		for _, t := range tasks {
			if t.stop != nil {
				t.stop()
			}
		}
	}()
	if err := s.check(ctx); err != nil {
		return err
	}
	s.askSome(ctx, action, tasks)
	return nil
}

// askSome asks for tasks together, and, where the service refuses them so, for each half.
func (s *System) askSome(ctx context.Context, action string, tasks []*task) {
	var accept error
	err := s.post(ctx, action, tasks, func(a *vendorapi.Answer, in io.Reader) error {
		if a.Status == http.StatusAccepted {
			accept = accepted(a, s.config.Now())
			return nil
		}
		if t, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type")); t != typeLines {
			return vendorapi.Unsure(broken, "the service's answer isn't "+typeLines, nil)
		}
		byName := map[string]*task{}
		for i, t := range tasks {
			byName[name(i)] = t
		}
		return readError(s.read(byName, in))
	})
	if len(tasks) > 1 && (accept != nil || isRefusal(err)) {
		s.askSome(ctx, action, tasks[:len(tasks)/2])
		s.askSome(ctx, action, tasks[len(tasks)/2:])
		return
	}
	for _, t := range tasks {
		switch {
		case err != nil:
			t.job.Err = vendorapi.Deferred(err)
		case accept != nil:
			t.job.Err = accept
		case t.err != nil:
			t.job.Err = t.err
		case !t.ended:
			t.job.Err = worker.Transient("unended", "the service's answer doesn't end the task", nil)
		}
	}
}

// isRefusal reports whether a call may be refused for one of its tasks.
func isRefusal(err error) bool {
	var e *worker.Error
	return errors.As(err, &e) && e.Code == codeRefused
}

// post makes the signed call of an action.
func (s *System) post(ctx context.Context, action string, tasks []*task, read func(*vendorapi.Answer, io.Reader) error) error {
	write := func(to io.Writer) error { return writeBody(ctx, tasks, to) }
	h, length, err := s.sign(runID(action, tasks), write)
	if err != nil {
		return err
	}
	h.Set("Content-Type", typeLines)
	h.Set("Accept", typeLines)
	if until, bounded := ctx.Deadline(); bounded {
		h.Set(HeaderDeadline, until.UTC().Format(time.RFC3339))
	}
	return s.api.Do(ctx, vendorapi.Call{
		Name: action, Method: http.MethodPost, Path: s.base + "v1/" + action, Header: h, Write: write, Length: length, Stream: read,
	})
}

// sign returns the headers of a signed body, and its length.
func (s *System) sign(id string, write func(io.Writer) error) (http.Header, int64, error) {
	text, err := s.config.Secret.Read()
	if err != nil {
		return nil, 0, worker.Permanent("no-secret", "the secret that signs what the service is asked can't be read: check client_secret_file", err)
	}
	keys, err := webhook.ParseSecrets(text)
	if err != nil {
		return nil, 0, worker.Permanent("no-secret", "the secret that signs what the service is asked isn't one: "+err.Error(), nil)
	}
	at := strconv.FormatInt(s.config.Now().Unix(), 10)
	var length counter
	signature, err := webhook.Sign(keys, id, at, func(to io.Writer) error { return write(io.MultiWriter(to, &length)) })
	if err != nil {
		return nil, 0, err
	}
	h := http.Header{}
	h.Set("User-Agent", "habeas")
	h.Set(webhook.HeaderID, id)
	h.Set(webhook.HeaderTimestamp, at)
	h.Set(webhook.HeaderSignature, signature)
	return h, int64(length), nil
}

type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// get makes a signed call without a body, and reads its answer as JSON.
func (s *System) get(ctx context.Context, id string, into any) error {
	h, _, err := s.sign(id, func(io.Writer) error { return nil })
	if err != nil {
		return err
	}
	h.Set("Accept", "application/json")
	return s.api.Do(ctx, vendorapi.Call{Name: "about", Method: http.MethodGet, Path: s.base + "v1", Header: h, Stream: func(_ *vendorapi.Answer, in io.Reader) error {
		if err := json.NewDecoder(io.LimitReader(in, maxRefusal)).Decode(into); err != nil {
			return readError(malformed("what it says of itself isn't JSON"))
		}
		return nil
	}})
}
