package marketo

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// What a bulk extract takes (Adobe, "Bulk Extract").
const (
	MaxExportRunning = 2
	MaxExportQueued  = 10
	MaxExportWindow  = 31 * 24 * time.Hour
	MaxExportBytes   = 500 << 20          // a day
	exportKept       = 7 * 24 * time.Hour // how long jobs are listed, and files kept
	exportFresh      = time.Minute        // how often a status is renewed
)

// export is one job of a bulk extract. Its times are of what has been asked for;
// where it stands follows from them and the clock.
type export struct {
	id, kind  string // leads, activities
	fields    []string
	headers   map[string]string
	comma     rune
	format    string
	from, to  time.Time
	updated   bool           // of leads: by updatedAt
	types     map[int64]bool // of activities; none: all
	createdAt time.Time
	queuedAt  time.Time
	startedAt time.Time
	doneAt    time.Time
	cancelled bool
	file      []byte
	records   int
}

// routeExports finds what answers a call below /bulk/v1/.
func (s *Server) routeExports(method, path string) (string, func(http.ResponseWriter, *http.Request, call)) {
	kind, rest, _ := strings.Cut(strings.TrimPrefix(path, "/bulk/v1/"), "/export")
	if kind != "leads" && kind != "activities" {
		return "unknown", nil
	}
	id, what, _ := strings.Cut(strings.Trim(rest, "/"), "/")
	with := func(do func(w http.ResponseWriter, r *http.Request, j *export)) func(http.ResponseWriter, *http.Request, call) {
		return func(w http.ResponseWriter, r *http.Request, _ call) {
			s.exportMu.Lock()
			defer s.exportMu.Unlock()
			s.advanceExports()
			i := slices.IndexFunc(s.exports, func(j *export) bool { return j.id == id && j.kind == kind })
			if i < 0 {
				refuse(w, "1013", "Export job not found")
				return
			}
			do(w, r, s.exports[i])
		}
	}
	switch method + " " + what {
	case "GET ":
		return "bulk.list", func(w http.ResponseWriter, _ *http.Request, c call) { s.listExports(w, c, kind) }
	case "POST ":
		if id == "create.json" {
			return "bulk.create", func(w http.ResponseWriter, _ *http.Request, c call) { s.createExport(w, c, kind) }
		}
	case "POST enqueue.json":
		return "bulk.enqueue", with(s.enqueueExport)
	case "POST cancel.json":
		return "bulk.cancel", with(s.cancelExport)
	case "GET status.json":
		return "bulk.status", with(func(w http.ResponseWriter, _ *http.Request, j *export) { succeed(w, []any{s.told(j)}) })
	case "GET file.json":
		return "bulk.file", with(s.sendExport)
	}
	return "unknown", nil
}

// createExport takes a job.
func (s *Server) createExport(w http.ResponseWriter, c call, kind string) {
	type window struct{ StartAt, EndAt time.Time }
	var in struct {
		Fields  []string          `json:"fields"`
		Headers map[string]string `json:"columnHeaderNames"`
		Format  string            `json:"format"`
		Filter  map[string]json.RawMessage
	}
	if err := json.Unmarshal(c.body, &in); err != nil {
		refuse(w, "609", "Invalid JSON")
		return
	}
	j := &export{id: exportID(), kind: kind, fields: in.Fields, headers: in.Headers, format: strings.ToUpper(in.Format), createdAt: s.config.Clock().UTC(), types: map[int64]bool{}}
	switch j.format {
	case "", "CSV":
		j.format, j.comma = "CSV", ','
	case "TSV":
		j.comma = '\t'
	case "SSV":
		j.comma = ';'
	default:
		refuse(w, "1003", "Invalid value for format")
		return
	}
	for name, raw := range in.Filter {
		var when window
		var types []int64
		switch {
		case name == "createdAt", name == "updatedAt" && kind == "leads":
			if json.Unmarshal(raw, &when) != nil || when.EndAt.Before(when.StartAt) || when.EndAt.Sub(when.StartAt) > MaxExportWindow {
				refuse(w, "1003", "Invalid date range: at most 31 days")
				return
			}
			j.from, j.to, j.updated = when.StartAt, when.EndAt, name == "updatedAt"
		case name == "activityTypeIds" && kind == "activities":
			if json.Unmarshal(raw, &types) != nil {
				refuse(w, "1003", "Invalid value for activityTypeIds")
				return
			}
			for _, t := range types {
				j.types[t] = true
			}
		default:
			refuse(w, "1035", "Unsupported filter type for target subscription: "+name)
			return
		}
	}
	known := activityColumns()
	if kind == "leads" {
		known = nil
		for _, a := range s.store.attributes {
			known = append(known, a.name)
		}
	} else if j.fields == nil {
		j.fields = known
	}
	if i := slices.IndexFunc(j.fields, func(f string) bool { return !slices.Contains(known, f) }); i >= 0 {
		refuse(w, "1006", "Field '"+j.fields[i]+"' not found")
		return
	}
	if j.from.IsZero() || len(j.fields) == 0 {
		refuse(w, "1002", "Missing value for required parameter: a date range, and fields")
		return
	}
	s.exportMu.Lock()
	defer s.exportMu.Unlock()
	s.exports = append(s.exports, j)
	succeed(w, []any{s.told(j)})
}

func (s *Server) enqueueExport(w http.ResponseWriter, _ *http.Request, j *export) {
	now := s.config.Clock().UTC()
	waiting, today := 0, 0
	for _, other := range s.exports {
		if state := other.state(); state == "Queued" {
			waiting++
		}
		if !other.doneAt.IsZero() && other.doneAt.In(s.zone).Format(time.DateOnly) == now.In(s.zone).Format(time.DateOnly) {
			today += len(other.file)
		}
	}
	switch {
	case j.state() != "Created":
		refuse(w, "1029", "Export already queued")
		return
	case waiting >= MaxExportQueued:
		refuse(w, "1029", "Too many jobs in queue")
		return
	case today >= MaxExportBytes:
		refuse(w, "1029", "Export daily quota 500MB exceeded.")
		return
	}
	j.queuedAt = now
	told := s.told(j)
	s.advanceExports()
	succeed(w, []any{told})
}

func (s *Server) cancelExport(w http.ResponseWriter, _ *http.Request, j *export) {
	if !j.doneAt.IsZero() {
		refuse(w, "1029", "Export job has ended")
		return
	}
	j.cancelled = true
	succeed(w, []any{s.told(j)})
}

// sendExport answers a job's file, or the range of it that is asked for. How
// Marketo refuses a file that isn't there yet is not published.
func (s *Server) sendExport(w http.ResponseWriter, r *http.Request, j *export) {
	if j.state() != "Completed" {
		refuse(w, "1029", "Export job has no file: it is "+j.state())
		return
	}
	w.Header().Set("Content-Type", "text/csv;charset=UTF-8")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(j.file))
}

func (s *Server) listExports(w http.ResponseWriter, c call, kind string) {
	s.exportMu.Lock()
	defer s.exportMu.Unlock()
	s.advanceExports()
	states := list(c.query.Get("status"))
	all := []any{}
	for _, j := range s.exports {
		if j.kind == kind && (states == nil || slices.Contains(states, j.state())) {
			all = append(all, s.told(j))
		}
	}
	succeed(w, all)
}

// state returns where a job stands.
func (j *export) state() string {
	switch {
	case j.cancelled:
		return "Cancelled"
	case !j.doneAt.IsZero():
		return "Completed"
	case !j.startedAt.IsZero():
		return "Processing"
	case !j.queuedAt.IsZero():
		return "Queued"
	}
	return "Created"
}

// advanceExports does what the time that has passed has done: two jobs run at
// once, each for as long as is configured, and old ones are forgotten.
func (s *Server) advanceExports() {
	now := s.config.Clock().UTC()
	s.exports = slices.DeleteFunc(s.exports, func(j *export) bool { return now.Sub(j.createdAt) > exportKept })
	for moved := true; moved; {
		moved = false
		running := 0
		for _, j := range s.exports {
			if j.state() == "Processing" {
				if done := j.startedAt.Add(s.config.ExportTime); !done.After(now) {
					j.doneAt, moved = done, true
					s.write(j)
					continue
				}
				running++
			}
		}
		for _, j := range s.exports {
			if j.state() == "Queued" && running < MaxExportRunning {
				j.startedAt, moved = now, true
				running++
			}
		}
	}
}

// told returns a job as Marketo tells of it.
func (s *Server) told(j *export) map[string]any {
	out := map[string]any{"exportId": j.id, "format": j.format, "status": j.state(), "createdAt": j.createdAt}
	for name, at := range map[string]time.Time{"queuedAt": j.queuedAt, "startedAt": j.startedAt, "finishedAt": j.doneAt} {
		if !at.IsZero() {
			out[name] = at
		}
	}
	if j.state() == "Completed" {
		sum := sha256.Sum256(j.file)
		out["numberOfRecords"], out["fileSize"], out["fileChecksum"] = j.records, len(j.file), "sha256:"+hex.EncodeToString(sum[:])
	}
	return out
}

func exportID() string {
	b := randomHex(16)
	return b[:8] + "-" + b[8:12] + "-" + b[12:16] + "-" + b[16:20] + "-" + b[20:]
}
