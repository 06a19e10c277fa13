package salesforce

import (
	"crypto/rand"
	"errors"
	"strconv"
	"strings"
	"time"

	"habeas.dev/services/sandbox/soql"
)

// cursor is a query whose answer has more pages.
type cursor struct {
	plan  *plan
	rows  []*row
	until time.Time
}

func (s *Server) query(r request, all bool) answer {
	src := r.query.Get("q")
	q, err := soql.Parse(src)
	if err != nil {
		var bad *soql.Error
		if !errors.As(err, &bad) {
			bad = &soql.Error{Message: err.Error()}
		}
		p := planner{src: src}
		return refuse(&apiError{status: 400, code: "MALFORMED_QUERY", message: p.excerpt(bad.Pos) + bad.Message})
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	p := &planner{store: s.store, src: src, all: all, now: s.now(), settle: s.config.Settle}
	bad := restricted(q)
	var pl *plan
	if bad == nil {
		pl, bad = p.plan(q)
	}
	if bad != nil {
		return refuse(bad)
	}
	rows := p.run(pl)
	if pl.count {
		return answer{status: 200, body: []byte(`{"totalSize":` + itoa(len(rows)) + `,"done":true,"records":[]}`)}
	}
	if pl.groups != nil {
		return answer{status: 200, body: pl.groups.answer(pl, rows)}
	}
	if len(rows) <= s.config.PageSize {
		return answer{status: 200, body: s.page(r.version, pl, rows, len(rows), "")}
	}
	locator := s.keep(&cursor{plan: pl, rows: rows, until: s.now().Add(cursorLife)})
	return answer{status: 200, body: s.page(r.version, pl, rows[:s.config.PageSize], len(rows), locator+"-"+itoa(s.config.PageSize))}
}

// page writes one page; next is empty on the last. The caller holds the lock.
func (s *Server) page(version string, pl *plan, rows []*row, total int, next string) []byte {
	// Rows of the population are some 300 to 700 bytes.
	b := make([]byte, 0, 128+len(rows)*600)
	b = append(b, `{"totalSize":`...)
	b = strconv.AppendInt(b, int64(total), 10)
	if next == "" {
		b = append(b, `,"done":true,"records":[`...)
	} else {
		b = append(b, `,"done":false,"nextRecordsUrl":"/services/data/`+version+`/query/`+next+`","records":[`...)
	}
	first := true
	for _, r := range rows {
		if r.purged && s.config.Settle == 0 {
			continue // since the query was run
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = s.store.appendRow(b, version, pl.object, pl.columns, r)
	}
	return append(b, "]}"...)
}

func (s *Server) keep(c *cursor) string {
	var id [8]byte
	rand.Read(id[:])
	locator := "01g5g00000" + strings.ToUpper(strconv.FormatUint(uint64(id[0])<<24|uint64(id[1])<<16|uint64(id[2])<<8|uint64(id[3]), 36)) + strconv.Itoa(int(id[4]))
	s.cursorMu.Lock()
	defer s.cursorMu.Unlock()
	for k, old := range s.cursors {
		if !s.now().Before(old.until) || len(s.cursors) >= maxCursors {
			delete(s.cursors, k)
		}
	}
	s.cursors[locator] = c
	return locator
}

// ExpireCursors makes every nextRecordsUrl invalid at once.
func (s *Server) ExpireCursors() {
	s.cursorMu.Lock()
	defer s.cursorMu.Unlock()
	clear(s.cursors)
}

// more answers a nextRecordsUrl.
func (s *Server) more(r request, locator string) answer {
	id, offset, ok := strings.Cut(locator, "-")
	from, err := strconv.Atoi(offset)
	s.cursorMu.Lock()
	c := s.cursors[id]
	s.cursorMu.Unlock()
	if !ok || err != nil || c == nil || from < 0 || from >= len(c.rows) || !s.now().Before(c.until) {
		return refuse(&apiError{status: 400, code: "INVALID_QUERY_LOCATOR", message: "invalid query locator"})
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	to, next := from+s.config.PageSize, ""
	if to < len(c.rows) {
		next = id + "-" + itoa(to)
	} else {
		to = len(c.rows)
	}
	return answer{status: 200, body: s.page(r.version, c.plan, c.rows[from:to], len(c.rows), next)}
}
