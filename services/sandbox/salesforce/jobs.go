package salesforce

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"habeas.dev/services/sandbox/soql"
)

// maxJobs bounds the jobs that are remembered; the oldest is forgotten.
const maxJobs = 500

// job is a job of Bulk API 2.0, ingest or query.
type job struct {
	ID        string `json:"id"`
	Operation string `json:"operation"`
	Object    string `json:"object"`
	CreatedBy string `json:"createdById"`
	Created   string `json:"createdDate"`
	Modstamp  string `json:"systemModstamp"`
	State     string `json:"state"`
	Mode      string `json:"concurrencyMode"`
	Content   string `json:"contentType"`
	API       any    `json:"apiVersion"`
	Ending    string `json:"lineEnding"`
	Delimiter string `json:"columnDelimiter"`
	Type      string `json:"jobType,omitempty"`
	External  string `json:"externalIdFieldName,omitempty"`
	ContentAt string `json:"contentUrl,omitempty"`
	Query     string `json:"-"`
	Processed int    `json:"numberRecordsProcessed"`
	Failed    int    `json:"numberRecordsFailed"`
	Retries   int    `json:"retries"`
	Took      int    `json:"totalProcessingTime"`
	ErrorText string `json:"errorMessage,omitempty"`

	ingest    bool
	upload    []byte
	due       time.Time // when it is done, once it is in progress
	good, bad [][]string
	rest      [][]string
	columns   []string
	pages     [][]string // of a query: its rows
}

// jobs answers /jobs/ingest and /jobs/query, and what is below.
func (s *Server) jobs(r request, rest string) answer {
	kind, rest, _ := strings.Cut(rest, "/")
	id, part, _ := strings.Cut(rest, "/")
	if kind != "ingest" && kind != "query" {
		return refuse(&apiError{status: 404, code: "NOT_FOUND", message: "The requested resource does not exist"})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if id == "" {
		switch r.method {
		case "POST":
			return s.newJob(r, kind == "ingest")
		case "GET":
			list := []*job{}
			for _, j := range s.jobList {
				if j.ingest == (kind == "ingest") {
					list = append(list, j)
				}
			}
			return reply(map[string]any{"done": true, "records": list, "nextRecordsUrl": nil})
		}
		return refuse(&apiError{status: 405, code: "METHOD_NOT_ALLOWED", message: "HTTP Method '" + r.method + "' not allowed"})
	}
	i := slices.IndexFunc(s.jobList, func(j *job) bool { return j.ID == id && j.ingest == (kind == "ingest") })
	if i < 0 {
		return refuse(&apiError{status: 404, code: "NOT_FOUND", message: "The requested resource does not exist"})
	}
	j := s.jobList[i]
	s.advance(j)
	switch {
	case part == "" && r.method == "GET":
		return reply(j)
	case part == "" && r.method == "PATCH":
		return s.setState(r, j)
	case part == "" && r.method == "DELETE":
		if j.State == "InProgress" || j.State == "UploadComplete" && j.ingest {
			return badState("Unable to delete a job in state " + j.State)
		}
		s.jobList = slices.Delete(s.jobList, i, i+1)
		return answer{status: http.StatusNoContent}
	case part == "batches" && r.method == "PUT" && j.ingest:
		if j.State != "Open" || j.upload != nil {
			return badState("Found multiple contents for job: <" + j.ID + ">, please 'Close' / 'Abort' / 'Delete' the current Job then create a new Job and make sure you only do 'PUT' once on a given Job.")
		}
		j.upload = append([]byte{}, r.body...)
		return answer{status: http.StatusCreated}
	case part == "results" && r.method == "GET" && !j.ingest:
		return s.queryResults(r, j)
	case r.method == "GET" && j.ingest && slices.Contains([]string{"successfulResults", "failedResults", "unprocessedrecords"}, part):
		if j.State != "JobComplete" && j.State != "Failed" && j.State != "Aborted" {
			return badState("Job status is " + j.State)
		}
		switch part {
		case "successfulResults":
			return j.file([]string{"sf__Id", "sf__Created"}, j.good)
		case "failedResults":
			return j.file([]string{"sf__Id", "sf__Error"}, j.bad)
		default:
			return j.file(nil, j.rest)
		}
	}
	return refuse(&apiError{status: 404, code: "NOT_FOUND", message: "The requested resource does not exist"})
}

func badState(message string) answer {
	return refuse(&apiError{status: 400, code: "INVALIDJOBSTATE", message: message})
}

func (s *Server) newJob(r request, ingest bool) answer {
	var in struct {
		Object, Operation, ContentType, LineEnding, ColumnDelimiter, ExternalIDFieldName, Query string
	}
	if json.Unmarshal(r.body, &in) != nil {
		return refuse(&apiError{status: 400, code: "JSON_PARSER_ERROR", message: "Unexpected character or end of input"})
	}
	now := s.now().UTC().Format(wireTime)
	s.jobNumber++
	j := &job{ID: newID("750", s.jobNumber), Operation: in.Operation, Object: in.Object, CreatedBy: "0055g0000000001AAA", Created: now, Modstamp: now,
		State: "Open", Mode: "Parallel", Content: "CSV", API: 60.0, Ending: "LF", Delimiter: "COMMA", Type: "V2Ingest", External: in.ExternalIDFieldName, ingest: ingest}
	bad := func(code, message string) answer { return refuse(&apiError{status: 400, code: code, message: message}) }
	if in.ContentType != "" && in.ContentType != "CSV" || in.ColumnDelimiter != "" && in.ColumnDelimiter != "COMMA" {
		return bad("INVALIDJOB", "this stand-in takes CSV with commas only")
	}
	if in.LineEnding != "" {
		j.Ending = in.LineEnding
	}
	if !ingest {
		if in.Operation != "query" && in.Operation != "queryAll" {
			return bad("INVALIDJOB", "The operation of a query job is query or queryAll")
		}
		j.Query, j.State, j.Type = in.Query, "UploadComplete", "V2Query"
		q, err := soql.Parse(in.Query)
		if err != nil {
			return bad("MALFORMED_QUERY", err.Error())
		}
		j.Object = q.From
		if refused := s.runQuery(r, j, q); refused != nil {
			return refuse(refused)
		}
		j.due = s.now().Add(s.config.BulkTime)
		s.remember(j)
		return reply(j)
	}
	o := s.store.object(in.Object)
	switch {
	case o == nil:
		return bad("INVALIDENTITY", "Unable to find object: "+in.Object)
	case !slices.Contains([]string{"insert", "update", "upsert", "delete", "hardDelete"}, in.Operation):
		return bad("INVALIDJOB", "unknown operation "+in.Operation)
	case in.Operation == "hardDelete" && s.config.NoHardDelete:
		return bad("FEATURENOTENABLED", "hardDelete operation requires special user profile permission, please contact your system administrator")
	}
	j.Object, j.ContentAt = o.name, "services/data/"+r.version+"/jobs/ingest/"+j.ID+"/batches"
	s.remember(j)
	return reply(j)
}

func (s *Server) remember(j *job) {
	if len(s.jobList) >= maxJobs {
		s.jobList = s.jobList[1:]
	}
	s.jobList = append(s.jobList, j)
}

func (s *Server) setState(r request, j *job) answer {
	var in struct{ State string }
	if json.Unmarshal(r.body, &in) != nil {
		return refuse(&apiError{status: 400, code: "JSON_PARSER_ERROR", message: "Unexpected character or end of input"})
	}
	switch {
	case in.State == "Aborted" && j.State != "JobComplete" && j.State != "Failed":
		j.State = "Aborted"
	case in.State == "UploadComplete" && j.State == "Open" && j.ingest:
		j.State, j.due = "UploadComplete", s.now().Add(s.config.BulkTime)
	default:
		return badState("Transition from " + j.State + " to " + in.State + " is not allowed")
	}
	j.Modstamp = s.now().UTC().Format(wireTime)
	return reply(j)
}

// advance brings a job to where it is by now. The caller holds the lock.
func (s *Server) advance(j *job) {
	if j.State != "UploadComplete" && j.State != "InProgress" {
		return
	}
	if s.now().Before(j.due) {
		j.State = "InProgress"
		return
	}
	j.State = "JobComplete"
	if j.ingest {
		s.work(j)
	}
}

// work carries an ingest job out, record by record.
func (s *Server) work(j *job) {
	reader := csv.NewReader(bytes.NewReader(j.upload))
	rows, err := reader.ReadAll()
	if err != nil || len(rows) == 0 {
		j.State, j.ErrorText = "Failed", "InvalidBatch : Field name not found : Id"
		return
	}
	j.columns = rows[0]
	for _, row := range rows[1:] {
		fields := map[string]any{}
		id := ""
		for i, name := range j.columns {
			if strings.EqualFold(name, "Id") {
				id = row[i]
			} else if v, ok := s.ofCSV(j.Object, name, row[i]); ok {
				fields[name] = v
			}
		}
		x := s.workOne(j, id, fields)
		if x.Success {
			j.good = append(j.good, append([]string{x.ID, map[bool]string{true: "true", false: "false"}[j.Operation == "insert"]}, row...))
			continue
		}
		e := x.Errors[0]
		j.bad = append(j.bad, append([]string{x.ID, e.Status + ":" + e.Message + ":" + strings.Join(e.Fields, ", ") + " --"}, row...))
	}
	j.Processed, j.Failed = len(rows)-1, len(j.bad)
}

// ofCSV reads a field's value from a CSV file; empty fields of an update are
// passed over, and #N/A empties a field.
func (s *Server) ofCSV(name, fieldName, text string) (any, bool) {
	o := s.store.object(name)
	n, ok := o.field(fieldName)
	switch {
	case text == "":
		return nil, false
	case text == "#N/A":
		return nil, true
	case ok && o.fields[n].typ == boolType:
		return strings.EqualFold(text, "true"), true
	case ok && o.fields[n].typ == numberType:
		var f float64
		if json.Unmarshal([]byte(text), &f) == nil {
			return f, true
		}
	}
	return text, true
}

func (s *Server) workOne(j *job, id string, fields map[string]any) itemResult {
	gone := map[string]bool{}
	var c change
	var x itemResult
	switch j.Operation {
	case "insert":
		x, c = s.tryInsert(j.Object, fields)
	case "upsert":
		x, c = s.tryUpsert(j.Object, j.External, fields)
	case "update":
		if x = s.tryUpdate(j.Object, id, fields); x.Success {
			c = change{Set: map[string]map[string]any{x.ID: fields}}
		}
	default:
		x = s.tryDelete(id, gone)
		if x.Success && s.store.byID[id[:15]].object.name != j.Object {
			x = failed(id, "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id")
		}
		if x.Success {
			c = change{Delete: s.cascade(id, gone)}
			if j.Operation == "hardDelete" {
				c.Purge = c.Delete
			}
		}
	}
	if x.Success {
		if err := s.commit(c); err != nil {
			return failed(id, err.code, err.message)
		}
	}
	return x
}

// file writes results as CSV.
func (j *job) file(first []string, rows [][]string) answer {
	return csvAnswer(append(slices.Clone(first), j.columns...), rows)
}

func csvAnswer(head []string, rows [][]string) answer {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	_ = w.Write(head) // a buffer takes everything
	_ = w.WriteAll(rows)
	return answer{status: http.StatusOK, body: b.Bytes(), kind: "text/csv"}
}
