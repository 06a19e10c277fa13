package marketo

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestBulkExtract: a job is created, queued, run and fetched, whole or in parts;
// its file holds what the calls for single leads hold, of its window and no more.
func TestBulkExtract(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	c, s := newClient(t, Config{Clock: func() time.Time { return now }, ExportTime: time.Minute})
	do := func(method, path, body string) answer {
		t.Helper()
		var a answer
		c.send(method, "/bulk/v1/"+path, "application/json", body, &a)
		return a
	}
	state := func(kind, id string) string {
		t.Helper()
		a := do(http.MethodGet, kind+"/export/"+id+"/status.json", "")
		if !a.Success {
			t.Fatalf("%+v", a)
		}
		return a.Result[0]["status"].(string)
	}
	create := func(kind, body string) string {
		t.Helper()
		a := do(http.MethodPost, kind+"/export/create.json", body)
		if !a.Success || a.Result[0]["status"] != "Created" {
			t.Fatalf("%+v", a)
		}
		return a.Result[0]["exportId"].(string)
	}
	fetch := func(kind, id, part string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url+"/bulk/v1/"+kind+"/export/"+id+"/file.json", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+c.token)
		if part != "" {
			r.Header.Set("Range", part)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b)
	}

	// The month with most activities, so that there are some in it and some beside.
	var all, inside int
	months := map[string]int{}
	for _, l := range s.store.leads {
		for _, a := range l.activities {
			all++
			months[a.at.UTC().Format("2006-01")]++
		}
	}
	month := ""
	for m, n := range months {
		if n > inside || n == inside && m < month {
			month, inside = m, n
		}
	}
	from, err := time.Parse("2006-01", month)
	if err != nil || inside == 0 || inside == all {
		t.Fatalf("%d of %d activities are of %s: nothing is proven", inside, all, month)
	}
	window := fmt.Sprintf(`{"startAt":"%s","endAt":"%s"}`, from.Format(time.RFC3339), from.AddDate(0, 1, 0).Format(time.RFC3339))

	id := create("activities", `{"filter":{"createdAt":`+window+`}}`)
	if a := do(http.MethodPost, "activities/export/"+id+"/enqueue.json", ""); a.Result[0]["status"] != "Queued" {
		t.Fatalf("%+v", a)
	}
	if a := do(http.MethodPost, "activities/export/"+id+"/enqueue.json", ""); a.code() != "1029" {
		t.Fatalf("queued twice: %+v", a)
	}
	if got := state("activities", id); got != "Processing" {
		t.Fatal(got)
	}
	if _, text := fetch("activities", id, ""); !strings.Contains(text, `"success":false`) {
		t.Fatalf("a file before its time: %s", text)
	}
	now = now.Add(time.Minute)
	if got := state("activities", id); got != "Completed" {
		t.Fatal(got)
	}
	status, text := fetch("activities", id, "")
	rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if status != http.StatusOK || err != nil || len(rows) != inside+1 || strings.Join(rows[0], ",") != strings.Join(activityColumns(), ",") {
		t.Fatalf("%d, %v: %d rows for %d activities", status, err, len(rows), inside)
	}
	var attributes []map[string]any
	if err := json.Unmarshal([]byte(rows[1][7]), &attributes); err != nil || len(attributes) == 0 || rows[1][4] != "null" {
		t.Fatalf("%q: %v", rows[1], err)
	}
	if status, part := fetch("activities", id, "bytes=5-24"); status != http.StatusPartialContent || part != text[5:25] {
		t.Fatalf("%d %q", status, part)
	}

	// Two run at once, ten wait, and one that is called off makes room.
	var ids []string
	for n := range MaxExportRunning + MaxExportQueued + 1 {
		id := create("leads", `{"fields":["id","email"],"format":"TSV","filter":{"createdAt":`+window+`}}`)
		ids = append(ids, id)
		a := do(http.MethodPost, "leads/export/"+id+"/enqueue.json", "")
		if want := n < MaxExportRunning+MaxExportQueued; a.Success != want || !want && a.code() != "1029" {
			t.Fatalf("job %d: %+v", n, a)
		}
	}
	if got := state("leads", ids[2]); got != "Queued" {
		t.Fatal(got)
	}
	if a := do(http.MethodPost, "leads/export/"+ids[2]+"/cancel.json", ""); a.Result[0]["status"] != "Cancelled" {
		t.Fatalf("%+v", a)
	}
	if a := do(http.MethodPost, "leads/export/"+ids[len(ids)-1]+"/enqueue.json", ""); !a.Success {
		t.Fatalf("%+v", a)
	}
	if a := do(http.MethodGet, "leads/export.json?status=Processing,Queued", ""); len(a.Result) != MaxExportRunning+MaxExportQueued {
		t.Fatalf("%d jobs are under way", len(a.Result))
	}

	for body, want := range map[string]string{
		`{"fields":["id"],"filter":{"createdAt":{"startAt":"2026-01-01T00:00:00Z","endAt":"2026-03-01T00:00:00Z"}}}`: "1003",
		`{"fields":["id"],"filter":{"leadIds":[1]}}`:                                                                 "1035",
		`{"fields":["nope"],"filter":{"createdAt":` + window + `}}`:                                                  "1006",
		`{"filter":{"createdAt":` + window + `}}`:                                                                    "1002",
	} {
		if a := do(http.MethodPost, "leads/export/create.json", body); a.code() != want {
			t.Errorf("%s: %+v", body, a)
		}
	}
}
