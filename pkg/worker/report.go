package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"slices"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/link"
	"habeas.dev/pkg/telemetry"
)

// conclude writes a job's answer, and says in log, trace and metrics what
// became of it.
func (w *Worker) conclude(ctx context.Context, j *job) {
	if j.err != nil && ctx.Err() != nil {
		// Nobody can tell whether the error is the system's or only the stop's.
		w.tracing.end(j, dsar.Report{}, "stopped")
		return
	}
	r := w.report(j)
	var err error
	if j.answer, err = w.reportEvent(j, r, 0); errors.Is(err, errUnwritable) {
		// It would be the same each time: the task has failed, and a person hears why.
		j.err = Permanent("bad-report", "the worker's report can't be written: it has a time or a text that no message can hold; mend the worker, then retry", err)
		r = w.failed(j, dsar.Report{RequestID: r.RequestID, System: r.System, Action: r.Action, Attempt: r.Attempt}, j.err)
		j.answer, err = w.reportEvent(j, r, 0)
	}
	if err != nil {
		w.log.LogAttrs(ctx, slog.LevelError, "a report could not be sealed; its task comes again", slog.String("system", w.system), slog.Any("error", telemetry.Vouch(err)))
		return
	}
	w.observe(ctx, j, r)
}

// report says what became of a job, and what is noted besides, whatever became
// of it.
func (w *Worker) report(j *job) dsar.Report {
	r := w.result(j)
	r.Notes, r.Findings = w.notesOf(j)
	return r
}

// result says what became of a job.
func (w *Worker) result(j *job) dsar.Report {
	r := dsar.Report{RequestID: j.task.RequestID, System: w.system, Action: j.task.Action, Attempt: j.task.Attempt}
	switch {
	case j.end != "":
		r.Kind, r.Outcome, r.Code, r.Reason, r.Counts = dsar.ReportEnded, j.end, j.code, j.reason, addRefused(nil, j.refused)
	case j.err == nil:
		r.Kind, r.Outcome, r.Counts = dsar.ReportEnded, outcome(j), j.counts
		if r.Objects = slices.Concat(j.out.objects(), j.planned.objects(), j.former.objects()); j.task.Action == dsar.Assemble {
			r.Objects = []dsar.Object{j.assembled}
		}
		missing := uncovered(j.counts)
		if missing != "" {
			r.Code, r.Reason = dsar.CodeNotCovered, missing
		}
		if unmet := j.unmet(); unmet != "" {
			r.Outcome, r.Code, r.Reason = dsar.Incomplete, dsar.CodePlanUnmet, cut(unmet, MaxReason)
		}
		if j.out != nil && len(j.out.others) > 0 {
			r.Kind, r.Outcome, r.Code = dsar.ReportFailed, dsar.Manual, dsar.CodeOthers
			r.Reason = "other people may be told of in " + strings.Join(j.out.others, ", ") + ": a person must look before anything is disclosed"
			if missing != "" {
				r.Reason += "; besides, " + missing
			}
			r.Reason = cut(r.Reason, MaxReason)
		}
		if len(j.found) > 0 {
			r.Found = j.reportFound()
		}
	default:
		return w.failed(j, r, j.err)
	}
	if j.open.Lift && r.Code == "" {
		r.Code, r.Reason = "lifted", "the restriction was lifted"
	}
	return r
}

// notesOf returns the implementation's notes, those of the task first, as many and
// as long as a report takes, and what of them is said in fields.
func (w *Worker) notesOf(j *job) (notes []string, findings []dsar.Cause) {
	for _, n := range slices.Concat(j.notes, j.open.others.notes(), w.notes()) {
		if len(notes) == MaxNotes {
			break
		}
		notes = append(notes, openReason(n.Text, j.open))
		if c := openCause(n.Cause, j.open); c != nil {
			findings = append(findings, *c)
		}
	}
	return notes, findings
}

// failed returns the report of a task that ended with an error.
func (w *Worker) failed(j *job, r dsar.Report, err error) dsar.Report {
	f := errorOf(err)
	r.Outcome, r.Counts, r.Objects, r.Found = "", nil, nil, nil
	r.Code, r.Reason, r.Detail = openCode(f.Code), openReason(f.Reason, j.open), j.detail(err, f)
	r.Cause = openCause(f.Cause, j.open)
	now := w.now()
	until, isParked := f.Parked(now)
	switch {
	case isParked:
		r.Kind, r.Until = dsar.ReportParked, until.UTC()
	case f.kind == permanent:
		r.Kind, r.Outcome = dsar.ReportFailed, dsar.Failed
	case j.task.Parked+1 >= MaxAttempts:
		r.Kind, r.Outcome = dsar.ReportFailed, dsar.Failed
		r.Reason = cut(fmt.Sprintf("given up after %d attempts: %s", j.task.Parked+1, r.Reason), MaxReason)
	default:
		r.Kind, r.Until = dsar.ReportParked, now.Add(parkFor(j.task)).UTC()
	}
	return r
}

// parkFor returns how long a task waits after a transient failure: twice as long
// each time since it was first sent or a person retried it, spread by a jitter that
// depends on the task alone, so that a task that comes twice gives the same report.
func parkFor(t dsar.Task) time.Duration {
	wait := FirstPark
	for i := 0; i < t.Parked && wait < MaxPark; i++ {
		wait *= 2
	}
	wait = min(wait, MaxPark)
	h := fnv.New64a()
	h.Write([]byte(event.TaskID(t.RequestID, t.System, t.Action, t.Attempt)))
	share := float64(h.Sum64()>>11) / (1 << 53) // [0, 1)
	return wait - time.Duration(share*parkJitter*float64(wait))
}

// detail returns the underlying error's text; nil where there is none.
func (j *job) detail(err error, f *Error) []byte {
	text := ""
	if f.err != nil {
		text = f.err.Error()
	}
	if outer, bare := err.(*Error); !f.generic && (!bare || outer != f) { //nolint:errorlint // is it the outermost?
		text = strings.TrimSuffix(err.Error()+": "+text, ": ") // what was wrapped around it
	}
	if text == "" {
		return nil
	}
	return []byte(cut(text, MaxDetail))
}

// reportEvent returns the sealed event of a report; n counts progress reports.
func (w *Worker) reportEvent(j *job, r dsar.Report, n int) (event.Event, error) {
	data, err := w.sealReport(j.link, r, j.sealed.Nonce)
	return event.Event{
		ID:          event.ReportID(r.RequestID, r.System, r.Action, r.Attempt, r.Kind, n),
		Source:      w.source,
		Type:        event.TypeReport,
		Subject:     r.RequestID,
		Time:        w.now().UTC(),
		TraceParent: w.tracing.parent(j),
		Data:        data,
	}, err
}

var errUnwritable = telemetry.Constant("worker: a report that can't be written")

// sealReport returns the data of a report's event.
func (w *Worker) sealReport(key *link.Key, r dsar.Report, nonce []byte) ([]byte, error) {
	data, err := json.Marshal(r)
	if err != nil { // of a time: its text would repeat it
		return nil, errUnwritable
	}
	return key.SealReport(link.Envelope{RequestID: r.RequestID, System: r.System, Action: r.Action, Attempt: r.Attempt}, nonce, data)
}

// observe says what became of a job to whoever operates the worker: no personal
// data, and nothing of the underlying error.
func (w *Worker) observe(ctx context.Context, j *job, r dsar.Report) {
	what := string(r.Outcome)
	if r.Kind == dsar.ReportParked {
		what = string(r.Kind)
	}
	w.tracing.end(j, r, what)
	w.metrics.task(ctx, r.Action, what, w.now().Sub(j.began))
	level := slog.LevelDebug
	switch r.Kind {
	case dsar.ReportParked:
		level = slog.LevelInfo
	case dsar.ReportFailed:
		level = slog.LevelWarn
	}
	var p *panicError
	if errors.As(j.err, &p) {
		w.log.LogAttrs(ctx, slog.LevelError, "the implementation panicked", slog.String("request_id", r.RequestID),
			slog.String("system", w.system), slog.String("action", string(r.Action)), slog.String("stack", string(p.stack)))
	}
	if !w.log.Enabled(ctx, level) {
		return
	}
	attrs := []slog.Attr{
		slog.String("request_id", r.RequestID), slog.String("system", w.system), slog.String("action", string(r.Action)),
		slog.Int("attempt", r.Attempt), slog.String("outcome", what),
	}
	if r.Code != "" {
		attrs = append(attrs, slog.String("code", r.Code), slog.String("reason", r.Reason))
	}
	if !r.Until.IsZero() {
		attrs = append(attrs, slog.Time("until", r.Until))
	}
	w.log.LogAttrs(ctx, level, "task reported", append(attrs, slog.String("kind", string(r.Kind)))...)
}
