package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/segmentio/kafka-go"

	"habeas.dev/pkg/event"
	"habeas.dev/schemas"
	"habeas.dev/services/habeas/node"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/topics"
)

// everyRecord reads all topics from their beginning to their end.
func everyRecord(t *testing.T, n *node.Node) []byte {
	t.Helper()
	check, err := event.NewValidator()
	if err != nil {
		t.Fatal(err)
	}
	specs, err := node.Topics(n.Manifests, topics.Deviation{})
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	records := 0
	for _, s := range specs {
		for _, m := range recordsOf(t, n, s.Name) {
			isDocumented(t, check, m)
			all.Write(m.Key)
			all.Write(m.Value)
			for _, h := range m.Headers {
				all.WriteString(h.Key)
				all.Write(h.Value)
			}
			records++
		}
	}
	if records < 1000 {
		t.Errorf("only %d records in the topics", records)
	}
	return all.Bytes()
}

// mayDo returns a user of a node's broker who may do something with a topic.
func mayDo(t *testing.T, n *node.Node, topic string, what func(topics.Access) []string) string {
	t.Helper()
	for _, a := range topics.Accesses(node.Systems(n.Manifests)) {
		if slices.Contains(what(a), topic) {
			return a.User
		}
	}
	t.Fatalf("nobody may do that with %s", topic)
	return ""
}

// recordsOf returns all that a topic of a node holds, as one who may read it.
func recordsOf(t *testing.T, n *node.Node, topic string) (all []kafka.Message) {
	t.Helper()
	user := n.As(mayDo(t, n, topic, func(a topics.Access) []string { return a.Reads }))
	dialer, err := user.Dialer()
	if err != nil {
		t.Fatal(err)
	}
	partitions, err := dialer.LookupPartitions(t.Context(), "tcp", n.Brokers[0], topic)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range partitions {
		leader, err := dialer.DialLeader(t.Context(), "tcp", n.Brokers[0], topic, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		end, err := leader.ReadLastOffset()
		leader.Close()
		if err != nil {
			t.Fatal(err)
		}
		r := kafka.NewReader(kafka.ReaderConfig{Brokers: n.Brokers, Dialer: dialer, Topic: topic, Partition: p.ID, MaxWait: 10 * time.Millisecond})
		for at := int64(0); at < end; {
			m, err := r.ReadMessage(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			at = m.Offset + 1
			all = append(all, m)
		}
		r.Close()
	}
	return all
}

// isDocumented holds a record to the schema of its type.
func isDocumented(t *testing.T, check *event.Validator, m kafka.Message) {
	t.Helper()
	headers := map[string]string{}
	for _, h := range m.Headers {
		headers[h.Key] = string(h.Value)
	}
	e, err := event.Decode(headers, m.Value)
	switch {
	case err != nil:
	case e.Type == event.TypeTask || e.Type == event.TypeReport:
		err = isSealed(e.Data)
	default:
		err = check.ValidateData(e.Type, e.Data)
	}
	if err != nil {
		t.Errorf("a record of %s isn't as schemas/ has it: %v", m.Topic, err)
	}
	if string(m.Key) != e.Subject {
		t.Errorf("a record of %s has another key than its subject", m.Topic)
	}
}

// leaksNothing looks for the canaries wherever they must not be.
func (p *pipeline) leaksNothing(spans []byte) {
	p.Helper()
	if p.logs.String() == "" || len(spans) < 1000 || len(p.topics) == 0 {
		p.Errorf("nothing to look in: %d bytes of log, %d of spans, %d of topics", len(p.logs.String()), len(spans), len(p.topics))
	}
	p.searched("the log", []byte(p.logs.String()))
	p.searched("the topics", p.topics)
	p.searched("the traces", []byte(strings.Join(p.told, "\n")))
	p.searched("the spans", spans)
	files := 0
	for _, room := range []string{config.RoomBroker, config.RoomJournal, config.RoomVault, config.RoomVaultKeys, config.RoomOutbox} {
		err := filepath.WalkDir(p.n.Config.Room(room), func(path string, d os.DirEntry, err error) error {
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

// isSealed holds the data of a task or a report to the schema of what is sealed.
func isSealed(data []byte) error {
	schema, err := sealedSchema()
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return err
	}
	return schema.Validate(doc)
}

var sealedSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	compiler, err := event.NewCompiler()
	if err != nil {
		return nil, err
	}
	return compiler.Compile(schemas.Base + "sealed.schema.json")
})
