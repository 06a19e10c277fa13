package bench

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"habeas.dev/pkg/bus"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// target is a running Habeas that is measured: in this process, or in one of its
// own. What a load needs of it, any version of Habeas offers.
type target struct {
	submit  func(context.Context, upstream.Request) error
	url     string                       // of the HTTP door
	as      func(user string) bus.Config // how a user reaches the broker
	systems []string                     // whose users can be asked for; none where only the operator's can
	config  config.Config                // what it was started by
	// cpu returns the processor time that it has used so far, and memory what it
	// holds of the machine's, in bytes.
	cpu    func() time.Duration
	memory func() int64
	// bundle opens a request's answer: a ZIP.
	bundle func(ctx context.Context, id string) (io.ReadCloser, error)
	// vendorCalls and commits are counters; nil where it can't be asked.
	vendorCalls, commits func() int64
	stop                 func()
}

// here starts a node in this process, for what can be seen only from within.
func here(ctx context.Context, cfg config.Config, o node.Options, r node.Roles) (*target, *node.Node, error) {
	n, err := node.Start(ctx, cfg, o, r)
	if err != nil {
		return nil, nil, err
	}
	t := &target{url: n.URL(), as: n.As, systems: node.Systems(n.Manifests), config: cfg, cpu: processorTime, memory: residentMemory, vendorCalls: n.VendorCalls,
		commits: commitsOf(n.Installation.Journal), stop: n.Stop,
		bundle: func(ctx context.Context, id string) (io.ReadCloser, error) {
			return aggregator.OpenBundle(ctx, n.Installation.Vault, n.Installation.Outbox, id)
		}}
	t.submit = t.post
	return t, n, nil
}

// commitsOf returns what counts the transactions of a journal's appends; nil where
// it doesn't count them.
func commitsOf(j journal.Store) func() int64 {
	if c, ok := j.(interface{ Commits() int64 }); ok {
		return c.Commits
	}
	return nil
}

// post submits by the HTTP door.
func (t *target) post(ctx context.Context, r upstream.Request) error {
	_, err := upstream.Post(ctx, t.url, "", r.JSON())
	return err
}

// ended waits until a request is completed. One that needs a person is an error.
func (t *target) ended(ctx context.Context, id string) error {
	beat := time.NewTicker(2 * time.Millisecond)
	defer beat.Stop()
	for {
		switch status, err := t.status(ctx, id); {
		case err != nil && ctx.Err() == nil:
			return err
		case status == string(core.StatusCompleted):
			return nil
		case status == string(core.StatusNeedsAttention):
			return fmt.Errorf("request %s needs attention", id)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("request %s doesn't end: %w", id, ctx.Err())
		case <-beat.C:
		}
	}
}

// status asks the door where a request stands; empty where it isn't known yet.
func (t *target) status(ctx context.Context, id string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, upstream.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, t.url+"/v1/requests/"+id, nil)
	if err != nil {
		return "", err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	var answer struct{ Status string }
	switch err := json.NewDecoder(io.LimitReader(res.Body, 1<<16)).Decode(&answer); {
	case res.StatusCode == http.StatusNotFound: // what comes by Kafka is on its way
		return "", nil
	case res.StatusCode != http.StatusOK:
		return "", errors.New(res.Status)
	default:
		return answer.Status, err
	}
}

// answer is what a request's bundle holds.
type answer struct {
	files   int
	records int64 // of an access; 0 in a certificate
}

// look opens a request's bundle and counts.
func (t *target) look(ctx context.Context, id string) (a answer, err error) {
	r, err := t.bundle(ctx, id)
	if err != nil {
		return a, err
	}
	data, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		return a, err
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return a, err
	}
	for _, f := range z.File {
		if strings.Contains(f.Name, "/data/") { // what is for the person; the rest says how it is packed
			a.files++
		}
		n, err := recordsIn(f)
		if err != nil {
			return a, err
		}
		a.records += n
	}
	return a, nil
}

// recordsIn returns how many records a file of a bundle holds: those of datasets
// lie in a folder each, as JSON lists.
func recordsIn(f *zip.File) (int64, error) {
	_, name, inData := strings.Cut(f.Name, "/data/")
	if !inData || !strings.Contains(name, "/") || !strings.HasSuffix(name, ".json") {
		return 0, nil
	}
	r, err := f.Open()
	if err != nil {
		return 0, err
	}
	defer r.Close()
	var rows []json.RawMessage
	err = json.NewDecoder(r).Decode(&rows)
	return int64(len(rows)), err
}
