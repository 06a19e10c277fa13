package link

import (
	"encoding/json"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vault"
)

// The bounds of a worker's words, in bytes, and of how many notes there are.
const (
	maxWords  = 4 << 10
	maxNotes  = 50
	maxCounts = 1000
)

// takeWords takes a worker's own words out of a report and returns them as they are to be
// sealed; nil where it said none. Of a dataset that was not reached there stays that it
// wasn't.
func takeWords(r *dsar.Report) []byte {
	w := dsar.Words{Reason: bounded(r.Reason), Error: bounded(string(r.Detail))}
	for _, n := range r.Notes[:min(len(r.Notes), maxNotes)] {
		w.Notes = append(w.Notes, bounded(n))
	}
	r.Counts = slices.Clone(r.Counts)
	for i := range r.Counts {
		c := &r.Counts[i]
		if c.Uncovered == "" {
			continue
		}
		if c.Uncovered != dsar.CodeNotCovered && len(w.Uncovered) < maxCounts {
			if w.Uncovered == nil {
				w.Uncovered = map[string]string{}
			}
			w.Uncovered[c.Dataset] = bounded(c.Uncovered)
		}
		c.Uncovered = dsar.CodeNotCovered
	}
	r.Reason, r.Notes, r.Detail = "", nil, nil
	if w.Reason == "" && w.Notes == nil && w.Uncovered == nil && w.Error == "" {
		return nil
	}
	// Words are plain data: Marshal can't fail on them.
	sealed, _ := json.Marshal(w)
	return sealed
}

// OpenWords opens a worker's words as a fact has them.
func OpenWords(keys *vault.Keys, sealed []byte) (dsar.Words, error) {
	plain, err := keys.Open(sealed, vault.ReportDetail)
	if err != nil {
		return dsar.Words{}, err
	}
	var w dsar.Words
	if !json.Valid(plain) { // before v0.2.0 it was the underlying error alone
		w.Error = string(plain)
		return w, nil
	}
	return w, json.Unmarshal(plain, &w)
}

func bounded(s string) string {
	return strings.ToValidUTF8(s[:min(len(s), maxWords)], "")
}
