package coordinator

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/metric/noop"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/core"
)

// disbelieved returns the code of an error by which a report isn't believed; empty for
// any other.
func disbelieved(err error) (code string) {
	switch {
	case errors.Is(err, link.ErrNotSealed):
		return "not-sealed"
	case errors.Is(err, link.ErrNonce):
		return "wrong-nonce"
	case errors.Is(err, link.ErrNotPlain):
		return "not-json"
	case errors.Is(err, link.ErrNoKey):
		return "no-link-key"
	default:
		return ""
	}
}

// NotBelievedError says that a report wasn't believed, and why. It is an ErrUnreadable.
type NotBelievedError struct {
	Code string
	err  error
}

// Error repeats nothing of the report.
func (e *NotBelievedError) Error() string { return ErrUnreadable.Error() + ": " + e.err.Error() }

// Is reports whether it is ErrUnreadable.
func (e *NotBelievedError) Is(target error) bool { return target == ErrUnreadable }

// Unwrap returns what was wrong.
func (e *NotBelievedError) Unwrap() error { return e.err }

// disbelieve notes in the trace of the request that a report names that it wasn't
// believed, and counts it. Its error is a NotBelievedError, or says that the journal
// couldn't be asked.
func (c *Coordinator) disbelieve(ctx context.Context, about link.Envelope, code string, why error) error {
	_, err := c.Requests.Do(ctx, about.RequestID, core.Disbelieve{System: about.System, Action: about.Action, Attempt: about.Attempt,
		Message: core.MessageReport, Code: code, Now: c.Now()})
	if err != nil && !errors.Is(err, core.ErrUnknown) && !errors.Is(err, core.ErrStray) {
		return err
	}
	c.count(ctx, core.MessageReport, about.System, code)
	return &NotBelievedError{Code: code, err: fmt.Errorf("%w (%s)", why, code)}
}

// count counts a message that wasn't believed. What isn't a system's name is a
// stranger's text, and doesn't become a label.
func (c *Coordinator) count(ctx context.Context, what core.Message, system, code string) {
	if c.manifests[system] == nil && system != dsar.Aggregator {
		system = unknownSystem
	}
	c.rejected.Add(ctx, 1, metric.WithAttributes(attribute.String("message", string(what)), attribute.String("system", system), attribute.String("code", code)))
}

// countFromZero lets each system's count be seen before the first message of it is
// rejected, so that an alert sees that one.
func (c *Coordinator) countFromZero() {
	zero := func(what core.Message, system, code string) {
		c.rejected.Add(context.Background(), 0, metric.WithAttributes(attribute.String("message", string(what)), attribute.String("system", system), attribute.String("code", code)))
	}
	systems := []string{dsar.Aggregator}
	for name := range c.manifests {
		systems = append(systems, name)
	}
	for _, system := range systems {
		zero(core.MessageTask, system, "not-sealed")
		zero(core.MessageReport, system, "not-sealed")
		zero(core.MessageTask, system, codeNotJournalled)
	}
	zero(core.MessageTask, unknownSystem, codeNotJournalled)
	zero(messageFact, unknownSystem, codeNotJournalled)
}

// unknownSystem is the label of what names no system.
const unknownSystem = "unknown"

func rejectedCounter(p metric.MeterProvider) metric.Int64Counter {
	if p == nil {
		p = noop.NewMeterProvider()
	}
	n, err := p.Meter("habeas.dev/services/coordinator").Int64Counter("habeas.messages.rejected",
		metric.WithDescription("tasks, reports and facts that were not believed, by what they were, the system that they named, and why"))
	if err != nil {
		n, _ = noop.NewMeterProvider().Meter("").Int64Counter("") // it never fails
	}
	return n
}

// maxWord bounds a code, as schemas/ does.
const maxWord = 64

// check returns the code of what a report says and may not; empty where it may be true.
func (c *Coordinator) check(r dsar.Report) (code string) {
	if code := core.Says(r); code != "" {
		return code
	}
	if r.Code != "" && !isSlug(r.Code) {
		return "false-words"
	}
	m, names := c.manifests[r.System], c.names[r.System]
	if len(r.Findings) > maxFindings || slices.ContainsFunc(r.Findings, func(f dsar.Cause) bool { return f.Code == "" || !names.have(&f) }) || !names.have(r.Cause) {
		return "false-words"
	}
	if r.Cause != nil && r.Cause.System != "" && (r.System != dsar.Aggregator || c.manifests[r.Cause.System] == nil && len(c.manifests) > 0) {
		return "false-words"
	}
	for _, n := range r.Counts {
		if !names.have(n.Cause) {
			return "false-words"
		}
		for _, k := range n.Retained {
			if !isSlug(k.Ground) || m != nil && k.Ground != dsar.LegalHold && !names.all[k.Ground] {
				return "false-words"
			}
		}
		if m == nil {
			continue
		}
		i := slices.IndexFunc(m.Datasets, func(d manifest.Dataset) bool { return d.Name == n.Dataset })
		if i < 0 {
			return "false-counts"
		}
		for _, t := range n.Taken {
			if !names.haveTable(t.Table) {
				return "false-counts"
			}
		}
		for _, column := range slices.Concat(n.Changed, n.Unchanged, n.Refused) {
			if m.Datasets[i].Column(column) == nil {
				return "false-words"
			}
		}
	}
	return ""
}

// maxFindings bounds what a worker noticed, as the SDK does.
const maxFindings = 20

// isSlug reports whether s is a word that may stand in the open: lower-case letters,
// digits and hyphens.
func isSlug(s string) bool {
	if s == "" || len(s) > maxWord || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}
