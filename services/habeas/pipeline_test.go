package main

import (
	"archive/zip"
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/segmentio/kafka-go"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"habeas.dev/pkg/bundle"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/sandbox/internaldb"
	"habeas.dev/services/sandbox/people"
)

// received is when the tests' requests were made.
var received = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

// TestPipeline is the whole of Habeas on seeds whose every personal text is a
// canary: the bundles hold every record of their person and none of another's;
// an erasure leaves what must be kept and nothing else; and nothing that is
// personal is in the topics, the journal, logs, spans, traces or file names.
func TestPipeline(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	const asked, erased = 40, 12 // people 1 to 40; of them 3 to 14 are erased later
	var access []string
	for n := 1; n <= asked; n++ {
		access = append(access, p.submit(n, dsar.Access))
	}
	nobody := p.submitAs(people.NobodyEmail, dsar.Access)
	p.wait(append(slices.Clone(access), nobody)...)
	for i, id := range access {
		p.holds(id, i+1)
	}
	p.holds(nobody, 0)

	var gone []int
	var erasures []string
	for n := people.Leaver; n < people.Leaver+erased; n++ {
		gone = append(gone, n)
		erasures = append(erasures, p.submit(n, dsar.Erasure))
		if status := p.profileStatus(n); status != "0" && n < 12 { // those of the demo have one
			t.Errorf("PaymentTech says %q of person %d's profile before it is erased", status, n)
		}
	}
	p.wait(erasures...)
	for i, id := range erasures {
		p.certifies(id, gone[i])
	}
	p.leftOnly(gone)
	p.vendorsHoldNothingOf(gone)
	p.othersAreAsTheyWere(asked, gone)

	spans := fmt.Appendf(nil, "%+v", p.spans.GetSpans()) // its Shutdown forgets them
	p.n.stop()
	p.leaksNothing(spans)
}

// pipeline is a node on canaries, and what it told.
type pipeline struct {
	*testing.T
	people *people.Population
	n      *node
	logs   *lockedBuffer
	spans  *tracetest.InMemoryExporter
	told   []string // traces and lists as the command line prints them
	topics []byte   // every record of every topic
}

func newPipeline(t *testing.T) *pipeline {
	t.Helper()
	const seed, size = 7, 200
	cfg, err := config.ForData(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Listen, cfg.Log.Level = "127.0.0.1:0", "debug"
	cfg.Sandbox = &config.Sandbox{Seed: seed, People: size, Canaries: true}
	p := &pipeline{T: t, people: people.Canaries(seed, size), logs: &lockedBuffer{}, spans: tracetest.NewInMemoryExporter()}
	p.n, err = startNode(t.Context(), cfg, outlets{logs: p.logs, spans: []sdktrace.SpanProcessor{sdktrace.NewSimpleSpanProcessor(p.spans)}}, everything())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.n.stop)
	return p
}

func (p *pipeline) submit(person int, right dsar.Right) string {
	p.Helper()
	return p.submitAs(p.people.Person(person).Email, right)
}

func (p *pipeline) submitAs(email string, right dsar.Right) string {
	p.Helper()
	r := demoRequest{id: uuid.NewString(), right: right, jurisdiction: "EEA", locale: "en", source: "test", receivedAt: received, email: email}
	if _, err := post(p.Context(), p.n.url(), r.data()); err != nil {
		p.Fatal(err)
	}
	return r.id
}

// patience is how long a test waits for what must come: a busy machine's, below
// go test's own.
const patience = 4 * time.Minute

// wait waits until requests are completed.
func (p *pipeline) wait(ids ...string) {
	p.Helper()
	for _, id := range ids {
		if row := waitFor(p.T, p.n.in.Journal, id); row.Status != string(dsar.StatusCompleted) {
			tr, _ := load(p.Context(), p.n.in, id)
			p.Fatalf("request %s is %s: %s", id, row.Status, tr.Attention)
		}
	}
}

// waitFor waits until a request has ended or needs a person.
func waitFor(t *testing.T, j journal.Journal, id string) journal.Row {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	beat := time.NewTicker(10 * time.Millisecond)
	defer beat.Stop()
	for {
		row, err := j.Row(ctx, id)
		if s := dsar.Status(row.Status); err == nil && (s.Ended() || s == dsar.StatusNeedsAttention) {
			return row
		}
		select {
		case <-ctx.Done():
			t.Fatalf("request %s doesn't end: %s, waits for %v (%v)", id, row.Status, row.Waiting, err)
		case <-beat.C:
		}
	}
}

// payload is the files of a request's bundle, by name within data/, after the
// bundle was verified.
func payload(t *testing.T, n *node, id string) map[string][]byte {
	t.Helper()
	r, err := aggregator.OpenBundle(t.Context(), n.in.Vault, n.in.Outbox, id)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return unpacked(t, id, data)
}

// unpacked is the files of a bundle that is whole.
func unpacked(t *testing.T, id string, data []byte) map[string][]byte {
	t.Helper()
	report, err := bundle.Verify(t.Context(), bytes.NewReader(data), int64(len(data)))
	if err != nil || len(report.Problems) > 0 {
		t.Fatalf("bundle of %s: %v %v", id, report.Problems, err)
	}
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range z.File {
		_, name, ok := strings.Cut(f.Name, "/data/")
		if !ok {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// recordsIn are the records of a payload's JSON files, each as a line, sorted.
func recordsIn(t *testing.T, files map[string][]byte) []string {
	t.Helper()
	out := []string{}
	for name, data := range files {
		if !strings.HasSuffix(name, ".json") || !strings.Contains(name, "/") {
			continue
		}
		var rows []map[string]any
		if err := json.Unmarshal(data, &rows); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, row := range rows {
			system, dataset := row["_system"], row["_dataset"]
			delete(row, "_system")
			delete(row, "_dataset")
			out = append(out, line(t, system, dataset, row))
		}
	}
	slices.Sort(out)
	return out
}

func line(t *testing.T, system, dataset any, values map[string]any) string {
	t.Helper()
	text, err := json.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%s %s %s", system, dataset, text)
}

// seeded are the records that the seeds have of a person, as recordsIn has them.
func (p *pipeline) seeded(person int) []string {
	out := []string{}
	if person > 0 {
		for _, r := range p.people.RowsOf(person) {
			withoutOthers(r)
			out = append(out, line(p.T, r.System, r.Dataset, r.Values))
		}
	}
	slices.Sort(out)
	return out
}

// withoutOthers knows by itself what of a shared ticket its requester isn't told.
func withoutOthers(r people.Row) {
	const told = "[about somebody else, not shown]"
	var columns []string
	switch r.Values["written_by"] {
	case people.Participant:
		columns = []string{"author_name", "author_email", "author_account", "body"}
	case "agent":
		columns = []string{"author_email"}
	}
	for _, c := range columns {
		r.Values[c] = told
	}
}

// holds checks a bundle against the seeds; 0 is somebody of whom there are none.
func (p *pipeline) holds(id string, person int) {
	p.Helper()
	files := payload(p.T, p.n, id)
	got, want := recordsIn(p.T, files), p.seeded(person)
	if !reflect.DeepEqual(got, want) {
		p.Errorf("person %d: %d records in the bundle, %d in the seeds: first that differs: %s", person, len(got), len(want), firstOther(got, want))
	}
	if person == 0 && !bytes.Contains(files["index.html"], []byte("None of them holds any.")) {
		p.Error("the answer to nobody doesn't say that nothing is held")
	}
}

// firstOther tells where two lists differ first.
func firstOther(got, want []string) string {
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			return "missing " + cut(want[i], 0)
		case i >= len(want):
			return "too much " + cut(got[i], 0)
		case got[i] != want[i]:
			same := 0
			for same < min(len(got[i]), len(want[i])) && got[i][same] == want[i][same] {
				same++
			}
			return "got …" + cut(got[i], same) + " want …" + cut(want[i], same)
		}
	}
	return ""
}

// cut is what of a text stands around a place.
func cut(s string, at int) string {
	return strings.ToValidUTF8(s[max(0, at-60):min(len(s), at+120)], "")
}

// mustStay knows the law by itself: ten years from the date of what the books
// are made of, and what the payment processor has settled.
func mustStay(r people.Row) bool {
	if r.System == people.PaymentTech && r.Dataset == "settled_payments" {
		return true
	}
	column := map[string]string{"invoices": "issued_on", "invoice_lines": "issued_on", "payments": "paid_on"}[r.Dataset]
	if r.System != people.Billing || column == "" {
		return false
	}
	day, err := time.Parse(time.DateOnly, r.Values[column].(string))
	return err == nil && day.AddDate(10, 0, 0).After(time.Now())
}

// certifies checks a certificate's counts against the seeds.
func (p *pipeline) certifies(id string, person int) {
	p.Helper()
	var c struct {
		Systems []struct {
			System   string    `json:"system"`
			ProvenAt time.Time `json:"proven_at"`
			Datasets []struct {
				Dataset                   string
				Found, Erased, Anonymised int
				Retained                  []struct {
					Records int
					Ground  string
					Until   time.Time
				}
			}
		}
	}
	if err := json.Unmarshal(payload(p.T, p.n, id)["certificate.json"], &c); err != nil {
		p.Fatal(err)
	}
	type tally struct{ gone, kept int }
	got, want := map[string]tally{}, map[string]tally{}
	for _, s := range c.Systems {
		for _, d := range s.Datasets {
			n := tally{gone: d.Erased + d.Anonymised}
			for _, r := range d.Retained {
				n.kept += r.Records
				if r.Ground != "tax-records" || r.Until.Before(time.Now()) {
					p.Errorf("person %d: %s %s: kept on %q until %s", person, s.System, d.Dataset, r.Ground, r.Until)
				}
			}
			if d.Found != n.gone+n.kept {
				p.Errorf("person %d: %s %s: %d found, %d gone, %d kept", person, s.System, d.Dataset, d.Found, n.gone, n.kept)
			}
			if n != (tally{}) {
				got[s.System+" "+d.Dataset] = n
			}
		}
	}
	for _, r := range p.people.RowsOf(person) {
		if load, vendor := manifestsOf(p.n.cfg)[r.System]; vendor {
			m, err := load()
			if err != nil {
				p.Fatal(err)
			}
			if m.Dataset(r.Dataset).GoesWith != "" { // gone with another, uncounted
				continue
			}
		}
		n := want[r.System+" "+r.Dataset]
		if mustStay(r) {
			n.kept++
		} else {
			n.gone++
		}
		want[r.System+" "+r.Dataset] = n
	}
	if !reflect.DeepEqual(got, want) {
		p.Errorf("person %d: the certificate says\n%v, the seeds\n%v", person, got, want)
	}
}

// leftOnly looks for the canaries of people in every column of every table of
// the internal systems: they may be in the retained tables only, in as many rows
// as must stay.
func (p *pipeline) leftOnly(gone []int) {
	p.Helper()
	for _, system := range internaldb.Systems() {
		db, err := sql.Open("sqlite", filepath.Join(p.n.cfg.Room(config.RoomSandbox), system+".db"))
		if err != nil {
			p.Fatal(err)
		}
		for table, rows := range dump(p.T, db) {
			for _, person := range gone {
				mark := fmt.Sprintf("%s%d-", people.CanaryPrefix, person)
				left := 0
				for _, row := range rows {
					if strings.Contains(row, mark) {
						left++
					}
				}
				want := 0
				for _, r := range p.people.RowsIn(person, system) {
					if r.Dataset == table && mustStay(r) && strings.Contains(line(p.T, "", "", r.Values), mark) {
						want++
					}
				}
				if left != want {
					p.Errorf("%s: table %s: %d rows hold person %d, %d must stay", system, table, left, person, want)
				}
			}
		}
		if err := db.Close(); err != nil {
			p.Fatal(err)
		}
	}
}

// dump is every row of every table as text.
func dump(t *testing.T, db *sql.DB) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, table := range column(t, db, "SELECT name FROM sqlite_master WHERE type = 'table'") {
		rows, err := db.QueryContext(t.Context(), `SELECT * FROM "`+table+`"`) //nolint:gosec // a table's name
		if err != nil {
			t.Fatal(err)
		}
		columns, err := rows.Columns()
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			values := make([]any, len(columns))
			for i := range values {
				values[i] = new(any)
			}
			if err := rows.Scan(values...); err != nil {
				t.Fatal(err)
			}
			var text strings.Builder
			for _, v := range values {
				if b, ok := (*v.(*any)).([]byte); ok {
					text.Write(b)
				} else {
					fmt.Fprint(&text, *v.(*any))
				}
				text.WriteByte(' ')
			}
			out[table] = append(out[table], text.String())
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		rows.Close()
	}
	return out
}

func column(t *testing.T, db *sql.DB, query string) (out []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		out = append(out, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// vendorsHoldNothingOf asks Salesforce, Marketo and PaymentTech as any client does.
func (p *pipeline) vendorsHoldNothingOf(gone []int) {
	p.Helper()
	crm, mail := p.n.cfg.Systems[people.Salesforce], p.n.cfg.Systems[people.Marketo]
	crmToken, mailToken := p.token(crm, "/services/oauth2/token"), p.token(mail, "/identity/oauth/token")
	for _, person := range gone {
		email := p.people.Person(person).Email
		for object, where := range map[string]string{
			"Contact": "Email = '" + email + "'", "Lead": "Email = '" + email + "'",
			"Registration__c": fmt.Sprintf("SerialNumber__c LIKE '%s%d-%%'", people.CanaryPrefix, person),
		} {
			query := fmt.Sprintf("SELECT Id FROM %s WHERE %s", object, where)
			var found struct{ TotalSize int }
			p.get(crm.URL+"/services/data/v60.0/queryAll?q="+url.QueryEscape(query), crmToken, &found)
			if found.TotalSize != 0 {
				p.Errorf("Salesforce still has %d %ss of person %d", found.TotalSize, object, person)
			}
		}
		for path, field := range map[string]string{"leads.json": "email", "customobjects/subscription_c.json": "emailAddress"} {
			var found struct {
				Success bool
				Result  []any
			}
			p.get(mail.URL+"/rest/v1/"+path+"?filterType="+field+"&filterValues="+url.QueryEscape(email), mailToken, &found)
			if !found.Success || len(found.Result) > 0 {
				p.Errorf("Marketo's %s still has %d records of person %d (%v)", path, len(found.Result), person, found.Success)
			}
		}
		if status := p.profileStatus(person); status != "9581" {
			p.Errorf("PaymentTech says %q of person %d's profile", status, person)
		}
	}
}

// profileStatus is what PaymentTech says of a person's profile: 0 where there is
// one, 9581 where there is none.
func (p *pipeline) profileStatus(person int) string {
	p.Helper()
	pay := p.n.cfg.Systems[people.PaymentTech]
	secret, err := os.ReadFile(pay.ClientSecretFile)
	if err != nil {
		p.Fatal(err)
	}
	req, err := http.NewRequestWithContext(p.Context(), http.MethodGet, pay.URL+"/gwapi/v4/gateway/profile/version/4.5/bin/000001/customerrefnum/"+url.PathEscape(p.people.CustomerRef(person)), nil)
	if err != nil {
		p.Fatal(err)
	}
	req.Header.Set("orbitalConnectionUsername", pay.ClientID)
	req.Header.Set("orbitalConnectionPassword", string(secret))
	req.Header.Set("merchantID", pay.Options["merchant_id"])
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		ProcStatus string
		Order      struct {
			Status struct{ ProcStatus string }
		}
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil {
		p.Fatalf("%s: %v", res.Status, err)
	}
	return answer.ProcStatus + answer.Order.Status.ProcStatus
}

func (p *pipeline) token(s config.System, path string) string {
	p.Helper()
	secret, err := os.ReadFile(s.ClientSecretFile)
	if err != nil {
		p.Fatal(err)
	}
	res, err := http.PostForm(s.URL+path, url.Values{"grant_type": {"client_credentials"}, "client_id": {s.ClientID}, "client_secret": {string(secret)}})
	if err != nil {
		p.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || answer.Token == "" {
		p.Fatalf("no token: %s %v", res.Status, err)
	}
	return answer.Token
}

func (p *pipeline) get(url, token string, answer any) {
	p.Helper()
	req, err := http.NewRequestWithContext(p.Context(), http.MethodGet, url, nil)
	if err != nil {
		p.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		p.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(answer); err != nil || res.StatusCode != http.StatusOK {
		p.Fatalf("%s: %v", res.Status, err)
	}
}

// othersAreAsTheyWere asks again for people who were not erased.
func (p *pipeline) othersAreAsTheyWere(asked int, gone []int) {
	p.Helper()
	var ids []string
	var persons []int
	for n := 1; n <= asked; n++ {
		if !slices.Contains(gone, n) {
			ids, persons = append(ids, p.submit(n, dsar.Access)), append(persons, n)
		}
	}
	p.wait(ids...)
	for i, id := range ids {
		p.holds(id, persons[i])
		tr, err := load(p.Context(), p.n.in, id)
		if err != nil {
			p.Fatal(err)
		}
		text, err := json.Marshal(tr)
		if err != nil {
			p.Fatal(err)
		}
		p.told = append(p.told, string(text))
		if tr.Chain != "verified" {
			p.Errorf("chain of %s: %s", id, tr.Chain)
		}
	}
	rows, err := p.n.in.Journal.List(p.Context(), journal.Filter{})
	if err != nil {
		p.Fatal(err)
	}
	var list bytes.Buffer
	if err := printJSONLines(&list, rows); err != nil {
		p.Fatal(err)
	}
	p.told = append(p.told, list.String())
	p.topics = everyRecord(p.T, p.n.brokers)
}

// everyRecord reads all topics from their beginning to their end.
func everyRecord(t *testing.T, brokers []string) []byte {
	t.Helper()
	client := &kafka.Client{Addr: kafka.TCP(brokers...)}
	meta, err := client.Metadata(t.Context(), &kafka.MetadataRequest{})
	if err != nil {
		t.Fatal(err)
	}
	check, err := event.NewValidator()
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	records := 0
	for _, topic := range meta.Topics {
		for _, part := range topic.Partitions {
			records += readPartition(t, check, &all, brokers[0], topic.Name, part.ID)
		}
	}
	if records < 1000 {
		t.Errorf("only %d records in the topics", records)
	}
	return all.Bytes()
}

// isDocumented holds a record to the schema of its type.
func isDocumented(t *testing.T, check *event.Validator, m kafka.Message) {
	t.Helper()
	headers := map[string]string{}
	for _, h := range m.Headers {
		headers[h.Key] = string(h.Value)
	}
	e, err := event.Decode(headers, m.Value)
	if err == nil {
		err = check.ValidateData(e.Type, e.Data)
	}
	if err != nil {
		t.Errorf("a record of %s isn't as schemas/ has it: %v", m.Topic, err)
	}
	if string(m.Key) != e.Subject {
		t.Errorf("a record of %s has another key than its subject", m.Topic)
	}
}

func readPartition(t *testing.T, check *event.Validator, all *bytes.Buffer, broker, topic string, partition int) (records int) {
	t.Helper()
	conn, err := kafka.DialLeader(t.Context(), "tcp", broker, topic, partition)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	end, err := conn.ReadLastOffset()
	if err != nil {
		t.Fatal(err)
	}
	r := kafka.NewReader(kafka.ReaderConfig{Brokers: []string{broker}, Topic: topic, Partition: partition, MaxWait: 10 * time.Millisecond})
	defer r.Close()
	for at := int64(0); at < end; {
		m, err := r.ReadMessage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		isDocumented(t, check, m)
		all.Write(m.Key)
		all.Write(m.Value)
		for _, h := range m.Headers {
			all.WriteString(h.Key)
			all.Write(h.Value)
		}
		at = m.Offset + 1
		records++
	}
	return records
}

// leaksNothing looks for the canaries wherever they must not be.
func (p *pipeline) leaksNothing(spans []byte) {
	p.Helper()
	if len(p.logs.Bytes()) == 0 || len(spans) < 1000 || len(p.topics) == 0 {
		p.Errorf("nothing to look in: %d bytes of log, %d of spans, %d of topics", len(p.logs.Bytes()), len(spans), len(p.topics))
	}
	p.searched("the log", p.logs.Bytes())
	p.searched("the topics", p.topics)
	p.searched("the traces", []byte(strings.Join(p.told, "\n")))
	p.searched("the spans", spans)
	files := 0
	for _, room := range []string{config.RoomBroker, config.RoomJournal, config.RoomVault, config.RoomOutbox} {
		err := filepath.WalkDir(p.n.cfg.Room(room), func(path string, d os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			p.searched("a file's name in "+room, []byte(path))
			if d.IsDir() {
				return nil
			}
			files++
			data, err := os.ReadFile(path)
			p.searched("a file in "+room+": "+filepath.Base(path), data)
			return err
		})
		if err != nil {
			p.Error(err)
		}
	}
	if files < 50 {
		p.Errorf("only %d files were searched", files)
	}
}

func (p *pipeline) searched(where string, data []byte) {
	p.Helper()
	for _, needle := range p.people.Needles() {
		if i := bytes.Index(data, []byte(needle)); i >= 0 {
			p.Errorf("%s holds personal data at byte %d", where, i)
			return
		}
	}
}

// lockedBuffer is a buffer that many may write to.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// Bytes is what was written so far.
func (b *lockedBuffer) Bytes() []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return bytes.Clone(b.b.Bytes())
}
