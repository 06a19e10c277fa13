package training

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// maxBody is as much of a call as is read.
	maxBody = 16 << 20
	// maxAge is how old a signature may be.
	maxAge = 5 * time.Minute
)

// serve answers one call.
func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	if !s.signed(r.Header, body) {
		s.Count("unsigned")
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	path := strings.TrimSuffix(r.URL.Path, "/")
	if r.Method == http.MethodGet && path == "/v1" {
		s.Count("about")
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]any{"contract": 1, "system": "training", "actions": names()})
		return
	}
	action := strings.TrimPrefix(path, "/v1/")
	act := actions()[action]
	if r.Method != http.MethodPost || act == nil {
		http.NotFound(w, r)
		return
	}
	tasks, err := read(body)
	planless := action == "erase" && slices.ContainsFunc(tasks, func(t *task) bool { return t.Plan == "" })
	if err != nil || planless {
		w.WriteHeader(http.StatusBadRequest) // nothing that came is quoted
		return
	}
	s.Count(action)
	var out answer
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range tasks {
		out.task = t.Task
		if err := act(s, t, &out); err != nil {
			w.WriteHeader(http.StatusInternalServerError) // the disk is full
			return
		}
		out.say(line{Done: true})
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	_, _ = w.Write(out.text.Bytes())
	fmt.Fprintf(w, "{\"end\":{\"lines\":%d}}\n", out.lines)
}

// signed reports whether a call is signed by our secret, over its whole body and not long ago.
func (s *Server) signed(h http.Header, body []byte) bool {
	at, err := strconv.ParseInt(h.Get("Webhook-Timestamp"), 10, 64)
	if age := s.clock().Sub(time.Unix(at, 0)); err != nil || age > maxAge || age < -maxAge {
		return false
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(DefaultSecret, "whsec_"))
	if err != nil {
		return false
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%d.", h.Get("Webhook-Id"), at)
	mac.Write(body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for _, got := range strings.Fields(h.Get("Webhook-Signature")) {
		if hmac.Equal([]byte(got), []byte(want)) {
			return true
		}
	}
	return false
}

// task is one person's, with the planned keys of an erasure.
type task struct {
	Task        string
	Identifiers []identifier
	Owner       []identifier
	Changes     []struct{ Dataset, Column, Value string }
	Purposes    []string
	Lift        bool
	Plan        string
	ByKeys      bool `json:"by_keys"`
	keys        []key
}

type (
	key        struct{ Dataset, Key string }
	identifier struct{ Type, Value string }
)

func (t *task) emails() []string { return emailsOf(t.Identifiers) }

// isAnothers reports whether a planned record is somebody else's by now: it has an address, and
// none of the person's.
func (t *task) isAnothers(r *row) bool {
	known := t.emails()
	if t.ByKeys {
		known = emailsOf(t.Owner)
	}
	is, _ := r.values["email"].(string)
	return is != "" && !slices.ContainsFunc(known, func(e string) bool { return fold(e) == fold(is) })
}

func emailsOf(identifiers []identifier) []string {
	var all []string
	for _, i := range identifiers {
		if i.Type == "email" {
			all = append(all, i.Value)
		}
	}
	return all
}

// read returns the tasks of a body's lines. A body without its last line, or of another
// count, is cut.
func read(body []byte) ([]*task, error) {
	var tasks []*task
	byName := map[string]*task{}
	lines := 0
	for d := json.NewDecoder(bytes.NewReader(body)); ; lines++ {
		var l struct {
			task
			key
			End *struct{ Lines int }
		}
		if err := d.Decode(&l); err != nil {
			return nil, fmt.Errorf("it is cut: %w", err)
		}
		switch {
		case l.End != nil:
			if l.End.Lines != lines {
				return nil, fmt.Errorf("%d lines instead of %d", lines, l.End.Lines)
			}
			return tasks, nil
		case l.Key != "":
			t := byName[l.Task]
			if t == nil {
				return nil, fmt.Errorf("a key of no task")
			}
			t.keys = append(t.keys, l.key)
		default:
			t := l.task
			tasks, byName[t.Task] = append(tasks, &t), &t
		}
	}
}

// line is one line of an answer.
type line struct {
	Task    string         `json:"task"`
	Dataset string         `json:"dataset,omitempty"`
	Record  map[string]any `json:"record,omitempty"`
	Key     string         `json:"key,omitempty"`
	Did     string         `json:"did,omitempty"`
	Late    bool           `json:"late,omitempty"`
	Counts  *counts        `json:"counts,omitempty"`
	Done    bool           `json:"done,omitempty"`
}

type counts struct {
	Found      int      `json:"found,omitempty"`
	Rectified  int      `json:"rectified,omitempty"`
	Restricted int      `json:"restricted,omitempty"`
	Changed    []string `json:"changed,omitempty"`
	Unchanged  []string `json:"unchanged,omitempty"`
}

// answer is the lines that were said so far.
type answer struct {
	task  string
	text  bytes.Buffer
	lines int
}

func (a *answer) say(l line) {
	l.Task = a.task
	text, err := json.Marshal(l)
	if err != nil {
		panic(err) // texts and numbers
	}
	a.lines++
	a.text.Write(append(text, '\n'))
}
