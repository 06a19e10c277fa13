package salesforce

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

const (
	// DefaultBulkFrom is from how many records of one object on an erasure uses a
	// bulk job. Salesforce advises Bulk API 2.0 above 2,000 records.
	DefaultBulkFrom = 2_000
	// maxBulk is how many ids go into one job: its file has at most 150 MB, and
	// a job of 100,000 takes minutes.
	maxBulk = 100_000
	// A job is asked after with growing pauses, up to maxPoll, and given up after
	// bulkTime: it is stopped then, and the next try does without.
	firstPoll = time.Second
	maxPoll   = 20 * time.Second
	bulkTime  = 20 * time.Minute
	// bulkRefusedFor is how long hardDelete isn't tried again where Salesforce
	// refuses it: the permission "Bulk API Hard Delete" is granted apart.
	bulkRefusedFor = time.Hour
)

// bulk remembers that bulk jobs are refused, or too slow.
type bulk struct {
	mu      sync.Mutex
	refused time.Time // until when
}

func (b *bulk) allowed(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !now.Before(b.refused)
}

func (b *bulk) refuse(until time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refused = until
}

// deleteBulk deletes for good what there is much of, and returns the rest. What
// leads to other records is never deleted so: until they are purged, it must lie
// in the recycle bin, where they are found by it again.
func (w *Worker) deleteBulk(ctx context.Context, records []*held) (rest []*held, err error) {
	byObject := make([][]*held, len(w.objects))
	for _, r := range records {
		byObject[r.object] = append(byObject[r.object], r)
	}
	for n, some := range byObject {
		o := &w.objects[n]
		if len(some) < w.config.BulkFrom || len(o.sourceFields) > 0 || o.Delete != "" || !w.bulk.allowed(w.config.Now()) {
			rest = append(rest, some...)
			continue
		}
		for chunk := range slices.Chunk(some, maxBulk) {
			err := w.hardDelete(ctx, o.Object, chunk)
			var e *worker.Error
			if errors.As(err, &e) && e.Code == codeNoBulk {
				w.bulk.refuse(w.config.Now().Add(bulkRefusedFor))
				rest = append(rest, chunk...)
				continue
			}
			if err != nil {
				return nil, err
			}
		}
	}
	return rest, nil
}

// codeNoBulk is that of a bulk job which Salesforce won't begin.
const codeNoBulk = "no-bulk"

// jobInfo is what Salesforce says of a bulk job.
type jobInfo struct {
	ID        string `json:"id"`
	State     string `json:"state"`
	Processed int    `json:"numberRecordsProcessed"`
	Failed    int    `json:"numberRecordsFailed"`
}

// hardDelete runs one job of Bulk API 2.0. Until it is told that the upload is
// complete, Salesforce does nothing; what an answer that was lost leaves open is
// asked after.
func (w *Worker) hardDelete(ctx context.Context, object string, records []*held) error {
	var job jobInfo
	jobs := "/services/data/" + w.version + "/jobs/ingest"
	order, err := json.Marshal(map[string]string{"object": object, "operation": "hardDelete", "contentType": "CSV", "lineEnding": "LF"})
	if err != nil {
		return err
	}
	err = w.api.Do(ctx, vendorapi.Call{Name: "job.create", Method: http.MethodPost, Path: jobs, Header: jsonHeader, Body: order, Safe: true, Expect: job.expect()})
	if hasCode(err, codeRefused) || hasCode(err, codeForbids) || hasCode(err, codeGone) || hasCode(err, vendorapi.CodeUnknown) {
		return worker.Permanent(codeNoBulk, "Salesforce doesn't let the integration user delete by bulk jobs", err)
	}
	if err != nil {
		return err
	}
	if !isID(job.ID) {
		return worker.Transient("broken-answer", "Salesforce began a bulk job without telling its id", nil)
	}
	jobs += "/" + job.ID
	file := []byte("Id\n")
	for _, r := range records {
		file = append(append(file, r.id...), '\n')
	}
	err = w.api.Do(ctx, vendorapi.Call{Name: "job.upload", Method: http.MethodPut, Path: jobs + "/batches", Header: http.Header{"Content-Type": {"text/csv"}}, Body: file, Expect: vendorapi.Nothing()})
	if vendorapi.IsUnsure(err) {
		return worker.Transient("broken-answer", "the file of a bulk job may not have reached Salesforce; nothing was deleted by it", err)
	}
	if err != nil {
		return err
	}
	for _, r := range records { // until the results are read
		w.pending.add(r)
	}
	start, _ := json.Marshal(map[string]string{"state": "UploadComplete"}) // two texts
	err = w.api.Do(ctx, vendorapi.Call{Name: "job.state", Method: http.MethodPatch, Path: jobs, Header: jsonHeader, Body: start, Expect: job.expect()})
	if err != nil && !vendorapi.IsUnsure(err) {
		return err
	}
	if err := w.await(ctx, jobs, &job, start); err != nil {
		return err
	}
	return w.bulkResults(ctx, jobs, job, records)
}

// expect reads what Salesforce says of the job.
func (j *jobInfo) expect() *vendorapi.Expect {
	return vendorapi.One(func(a *vendorapi.Answer) error {
		var told jobInfo
		if err := json.Unmarshal(a.Body, &told); err != nil {
			return err
		}
		if told.State == "" {
			return errShort
		}
		*j = told
		return nil
	})
}

// await waits until a job is over.
func (w *Worker) await(ctx context.Context, address string, job *jobInfo, start []byte) error {
	end, wait := w.config.Now().Add(bulkTime), firstPoll
	for {
		if err := w.api.Do(ctx, vendorapi.Call{Name: "job.state", Method: http.MethodGet, Path: address, Header: jsonHeader, Safe: true, Expect: job.expect()}); err != nil {
			return err
		}
		switch job.State {
		case "JobComplete", "Failed", "Aborted":
			return nil
		case "Open": // it hasn't heard that the upload is complete
			if err := w.api.Do(ctx, vendorapi.Call{Name: "job.state", Method: http.MethodPatch, Path: address, Header: jsonHeader, Body: start, Expect: job.expect()}); err != nil && !vendorapi.IsUnsure(err) {
				return err
			}
		}
		if w.config.Now().After(end) {
			stop, _ := json.Marshal(map[string]string{"state": "Aborted"}) // two texts
			err := w.api.Do(ctx, vendorapi.Call{Name: "job.state", Method: http.MethodPatch, Path: address, Header: jsonHeader, Body: stop, Safe: true, Expect: job.expect()})
			if err != nil {
				return err
			}
			w.bulk.refuse(w.config.Now().Add(bulkRefusedFor))
			return worker.Transient("bulk-slow", "a bulk job in Salesforce took too long and was stopped; what it left is deleted otherwise by the next try", nil)
		}
		if err := w.config.Pause(ctx, wait); err != nil {
			return err
		}
		wait = min(2*wait, maxPoll)
	}
}

// bulkResults takes up what came of each record. JobComplete can still hold
// records that failed.
func (w *Worker) bulkResults(ctx context.Context, address string, job jobInfo, records []*held) error {
	if job.State == "JobComplete" && job.Failed == 0 && job.Processed == len(records) {
		for _, r := range records {
			w.markGone(r)
		}
		return nil
	}
	byID := make(map[string]*held, len(records))
	for _, r := range records {
		byID[r.id] = r
		r.state = unknown // looked up, where no file names it
	}
	err := w.resultFile(ctx, address+"/successfulResults", func(row map[string]string) {
		if r := byID[row["Id"]]; r != nil {
			w.markGone(r)
		}
	})
	if err != nil {
		return err
	}
	return w.resultFile(ctx, address+"/failedResults", func(row map[string]string) {
		r := byID[row["Id"]]
		if r == nil {
			return
		}
		w.pending.remove(r)
		code, detail, _ := strings.Cut(row["sf__Error"], ":")
		x := result{reply: refusedRecord(code, detail)}
		switch err := w.meaning(x); {
		case isPermanent(err) && !hasCode(err, codeGone):
			w.refused(r, "delete", x)
		default: // it is looked up
			r.why = err
		}
	})
}

// resultFile reads one of a job's files of results.
func (w *Worker) resultFile(ctx context.Context, address string, each func(map[string]string)) error {
	return w.api.Do(ctx, vendorapi.Call{Name: "job.results", Method: http.MethodGet, Path: address, Header: http.Header{"Accept": {"text/csv"}}, Safe: true, Expect: vendorapi.One(func(a *vendorapi.Answer) error {
		rows, err := csv.NewReader(bytes.NewReader(a.Body)).ReadAll()
		if err != nil || len(rows) == 0 {
			return errors.Join(err, errShort)
		}
		for _, row := range rows[1:] {
			named := make(map[string]string, len(row))
			for i, v := range row {
				named[rows[0][i]] = v
			}
			each(named)
		}
		return nil
	})})
}
