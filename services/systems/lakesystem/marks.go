package lakesystem

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/apache/iceberg-go/table"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// marksProperty is the property of a snapshot's summary that says by which plans what was
// erased with it, and in the days before. So a worker that died after its commit, and before it
// could report it, knows what was its own when it is sent anew.
const marksProperty = "habeas.erased"

// marks say what commits have erased, by plan.
type marks map[string]mark

type mark struct {
	erased, late int64
	at           time.Time
}

// markOf returns the name of a job's plan: of the request and the plan's hash, so that nobody
// tries from the table alone which records it named. An erasure by keys only has another: it
// comes after the answer, so that what was marked before it was told.
func markOf(j *worker.EraseJob) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%t", j.RequestID, j.Plan.Sum(), j.ByKeys))
	return hex.EncodeToString(sum[:12])
}

// marksOf returns what the commits that a table knows of say.
func marksOf(tbl *table.Table) marks {
	all := marks{}
	for _, snap := range tbl.Metadata().Snapshots() {
		if snap.Summary == nil {
			continue
		}
		for _, text := range strings.Fields(snap.Summary.Properties[marksProperty]) {
			if name, m, ok := parseMark(text); ok && (m.erased > all[name].erased || m.late > all[name].late) {
				all[name] = m
			}
		}
	}
	return all
}

// String returns marks as a summary has them: name/erased/late/time, with blanks between, by
// name.
func (m marks) String() string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(m)) {
		out = append(out, fmt.Sprintf("%s/%d/%d/%d", name, m[name].erased, m[name].late, m[name].at.Unix()))
	}
	return strings.Join(out, " ")
}

func parseMark(text string) (name string, m mark, ok bool) {
	parts := strings.Split(text, "/")
	if len(parts) != 4 {
		return "", m, false
	}
	var n [3]int64
	for i := range n {
		var err error
		if n[i], err = strconv.ParseInt(parts[i+1], 10, 64); err != nil {
			return "", m, false
		}
	}
	return parts[0], mark{n[0], n[1], time.Unix(n[2], 0)}, true
}

// and returns what is to be said with a commit that erases what counts say: the newest of what
// was said before, as long as anybody may ask, and that. Of a plan it says what untold has of
// it besides.
func (m marks) and(jobs []*worker.EraseJob, counts []dsar.Counts, untold marks, now time.Time) marks {
	out := maps.Clone(m)
	for i, j := range jobs {
		if n := counts[i]; n.Erased > 0 {
			name := markOf(j)
			out[name] = mark{untold[name].erased + n.Erased, untold[name].late + n.Late, now}
		}
	}
	names := slices.SortedFunc(maps.Keys(out), func(a, b string) int { return cmp.Or(out[b].at.Compare(out[a].at), strings.Compare(a, b)) })
	for i, name := range names {
		if i >= maxMarks || now.Sub(out[name].at) > marksFor {
			delete(out, name)
		}
	}
	return out
}

// handed are the plans of which an erasure has ended in this process, with its counts: what
// comes again by them is told as gone.
type handed struct {
	mu    sync.Mutex
	plans map[string]time.Time
}

// add notes that the erasures of jobs have ended.
func (h *handed) add(jobs []*worker.EraseJob, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	maps.DeleteFunc(h.plans, func(_ string, at time.Time) bool { return now.Sub(at) > marksFor })
	for _, j := range jobs {
		h.plans[markOf(j)] = now
	}
}

// untold returns those of marks that no erasure of this process has told of.
func (h *handed) untold(all marks) marks {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := maps.Clone(all)
	maps.DeleteFunc(out, func(name string, _ mark) bool { return !h.plans[name].IsZero() })
	return out
}

// add returns counts with what earlier commits erased by the same plans, and is gone by now.
func (m marks) add(jobs []*worker.EraseJob, counts []dsar.Counts) []dsar.Counts {
	for i, j := range jobs {
		n, was := &counts[i], m[markOf(j)]
		planned, late := min(n.Gone, was.erased-was.late), was.late
		n.Erased, n.Found, n.Gone, n.Late = n.Erased+planned+late, n.Found+planned+late, n.Gone-planned, n.Late+late
	}
	return counts
}
