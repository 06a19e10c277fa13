package salesforce

import (
	"encoding/json"
	"strconv"
	"strings"

	"habeas.dev/services/sandbox/soql"
)

// runQuery keeps a bulk query's rows, as the CSV file has them.
func (s *Server) runQuery(r request, j *job, q *soql.Query) *apiError {
	if q.Count || len(q.Aggregates)+len(q.Children) > 0 {
		return &apiError{status: 400, code: "API_ERROR", message: "Aggregate queries aren't supported by Bulk API"}
	}
	p := &planner{store: s.store, src: j.Query, all: j.Operation == "queryAll", now: s.now(), settle: s.config.Settle}
	pl, bad := p.plan(q)
	if bad != nil {
		return bad
	}
	for _, path := range q.Fields {
		j.columns = append(j.columns, path.String())
	}
	for _, found := range p.run(pl) {
		var tree map[string]any
		if json.Unmarshal(s.store.appendRow(nil, r.version, pl.object, pl.columns, found), &tree) != nil {
			continue
		}
		var line []string
		for _, path := range q.Fields {
			line = append(line, cell(tree, path.Parts))
		}
		j.pages = append(j.pages, line)
	}
	j.Processed = len(j.pages)
	return nil
}

// cell returns a field's text in a CSV file.
func cell(tree map[string]any, path []string) string {
	var v any = tree
	for _, part := range path {
		m, _ := v.(map[string]any)
		v = nil
		for name, below := range m {
			if strings.EqualFold(name, part) {
				v = below
			}
		}
	}
	switch v := v.(type) {
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return ""
	}
}

// queryResults answers a page of a bulk query's rows.
func (s *Server) queryResults(r request, j *job) answer {
	if j.State != "JobComplete" {
		return badState("Job status is " + j.State)
	}
	from := 0
	if l := r.query.Get("locator"); l != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(l, "MT"))
		if err != nil || n < 0 || n > len(j.pages) {
			return refuse(&apiError{status: 400, code: "INVALID_LOCATOR", message: "invalid locator"})
		}
		from = n
	}
	most := 50_000
	if n, err := strconv.Atoi(r.query.Get("maxRecords")); err == nil && n > 0 {
		most = n
	}
	to := min(from+most, len(j.pages))
	a := csvAnswer(j.columns, j.pages[from:to])
	locator := "null"
	if to < len(j.pages) {
		locator = "MT" + itoa(to)
	}
	a.header = map[string]string{"Sforce-Locator": locator, "Sforce-NumberOfRecords": itoa(to - from)}
	return a
}
