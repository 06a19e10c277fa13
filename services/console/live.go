package console

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"habeas.dev/services/internal/journal"
)

const (
	// maxStreams bounds the pages that are kept up to date by one process, and
	// maxStreamsEach those of one person: more tabs than anyone looks at, and few
	// enough that one who opens all of them takes nobody else's.
	maxStreams     = 2000
	maxStreamsEach = 40
	// lookEvery is how often an open page's request is looked at.
	lookEvery = time.Second
	// streamTime is after how long a stream ends; the page opens another one,
	// and who is no longer signed in has none.
	streamTime = 5 * time.Minute
	// breathEvery is how often a comment is sent, since proxies close a silent
	// stream.
	breathEvery = 15 * time.Second
)

// parts are the blocks of a request's page that change by themselves. The forms
// aren't among them: nothing that a person is writing is taken from their hands.
var parts = []string{"head", "systems", "timeline", "facts", "acts"}

// live is a stream of server-sent events: the blocks of a request's page, each
// time something has happened.
func (c *Console) live(w http.ResponseWriter, r *http.Request, u User) {
	id, ok := c.requestID(w, r, u)
	if !ok {
		return
	}
	if !c.streams.enter(u.By()) {
		w.Header().Set("Retry-After", "60")
		http.Error(w, languageOf(r).Say("too many pages are open"), http.StatusServiceUnavailable)
		return
	}
	defer c.streams.leave(u.By())
	ctx, cancel := context.WithTimeout(r.Context(), streamTime)
	defer cancel()
	s := stream{w, http.NewResponseController(w)}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no")
	seen, _ := strconv.Atoi(r.URL.Query().Get("version"))
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		seen, _ = strconv.Atoi(last)
	}
	if s.breathe() != nil {
		return
	}
	look, breath := time.NewTicker(lookEvery), time.NewTicker(breathEvery)
	defer look.Stop()
	defer breath.Stop()
	for {
		row, err := c.Journal.Row(ctx, id)
		switch {
		case errors.Is(err, journal.ErrNotFound):
			return
		case err == nil && row.Version != seen:
			if err := c.sendParts(ctx, s, r, id, u); err != nil {
				return
			}
			seen = row.Version
		}
		select {
		case <-ctx.Done():
			return
		case <-c.closing:
			return
		case <-breath.C:
			if s.breathe() != nil {
				return
			}
		case <-look.C:
		}
	}
}

func (c *Console) sendParts(ctx context.Context, s stream, r *http.Request, id string, u User) error {
	lang := languageOf(r)
	read, err := c.read(ctx, id)
	if err != nil {
		return err
	}
	b := c.bodyOf(lang, read, u.Role)
	b.Show = showOf(r, b)
	for _, block := range parts {
		html, err := c.part(lang, "request.html", block, page{Lang: lang, User: u, Now: c.Now(), Body: b})
		if err != nil {
			c.trouble(ctx, err)
			return err
		}
		if err := s.send(block, b.Version, html); err != nil {
			return err
		}
	}
	return nil
}

// streams counts who has how many open.
type streams struct {
	mu   sync.Mutex
	all  int
	each map[string]int
}

// enter takes a place for a stream; it returns false where there is none.
func (s *streams) enter(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= maxStreams || s.each[name] >= maxStreamsEach {
		return false
	}
	s.all++
	s.each[name]++
	return true
}

func (s *streams) leave(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.each[name]--; s.each[name] == 0 {
		delete(s.each, name)
	}
}

// stream writes server-sent events.
type stream struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func (s stream) send(event string, id int, data []byte) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "event: %s\nid: %d\n", event, id)
	for line := range bytes.Lines(data) {
		b.WriteString("data: ")
		b.Write(bytes.TrimRight(line, "\r\n"))
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	return s.write(b.Bytes())
}

// breathe writes a comment, which readers of the stream ignore.
func (s stream) breathe() error { return s.write([]byte(": \n\n")) }

func (s stream) write(data []byte) error {
	// A reader that takes nothing for this long is gone.
	_ = s.rc.SetWriteDeadline(time.Now().Add(2 * breathEvery)) // not every writer can
	if _, err := s.w.Write(data); err != nil {
		return err
	}
	return s.rc.Flush()
}
