package simulation

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/internal/bundle"
)

// checkBundle opens the answer and checks that it verifies, and that it holds every
// record of the person once and nothing of anybody else.
func (w *simulation) checkBundle(ctx context.Context, a *asked) {
	v := w.openVault()
	defer v.Close()
	outbox := w.outbox.Open()
	defer outbox.Close()
	r, err := aggregator.OpenBundle(ctx, v, outbox, a.id)
	if err != nil {
		w.fail("request %s: %v", a.id, err)
		return
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil {
		w.fail("request %s: %v", a.id, err)
		return
	}
	verdict, err := bundle.Verify(ctx, bytes.NewReader(content), int64(len(content)))
	if err != nil || len(verdict.Problems) > 0 {
		w.fail("request %s: its bundle does not verify: %v %v", a.id, verdict.Problems, err)
		return
	}
	files := w.unzip(content)
	for name, text := range files {
		if quotes(text, a.person) || quotes(name, a.person) {
			w.fail("request %s: the file %s has somebody else's data", a.id, name)
		}
	}
	var answer struct {
		Records int64
		Systems []answered
	}
	name := "answer.json"
	if a.right == dsar.Erasure {
		name = "certificate.json"
	}
	if err := json.Unmarshal([]byte(files[name]), &answer); err != nil {
		w.fail("request %s: %s: %v", a.id, name, err)
		return
	}
	if len(answer.Systems) != len(w.systems) {
		w.fail("request %s: the answer tells of %d systems", a.id, len(answer.Systems))
		return
	}
	for i, s := range w.systems {
		for _, d := range answer.Systems[i].Datasets {
			w.checkAnswered(a, s, d, files[s.manifest.System+"/"+d.Dataset+".json"])
		}
	}
}

// answered is what the answer says of a system, in the words of services/internal/bundle.
type answered struct {
	System   string
	Datasets []answeredDataset
}

type answeredDataset struct {
	Dataset        string
	Records        int64
	LeftOutRecords int64 `json:"left_out_records"`
	Found          int64
	Erased, Gone   int64
	Rectified      int64
	Restricted     int64
	Retained       []struct{ Records int64 }
}

// unzip gives the payload's files by their names below data/.
func (w *simulation) unzip(content []byte) map[string]string {
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	w.must(err)
	files := map[string]string{}
	for _, f := range archive.File {
		_, name, payload := strings.Cut(f.Name, "/data/")
		if !payload {
			continue
		}
		r, err := f.Open()
		w.must(err)
		text, err := io.ReadAll(r)
		w.must(err)
		files[name] = string(text)
	}
	return files
}

// checkAnswered holds what is said of a dataset against the seeds.
func (w *simulation) checkAnswered(a *asked, s *system, d answeredDataset, file string) {
	held, kept := map[int]row{}, int64(0)
	if w.reaches(s.manifest.System, a.person) {
		for id, r := range s.seeded {
			if r.dataset == d.Dataset && owns(a.person, r.owner) {
				held[id] = r
				if r.retained {
					kept++
				}
			}
		}
	}
	n := int64(len(held))
	want := answeredDataset{Dataset: d.Dataset}
	records := map[int]row{}
	switch a.right {
	case dsar.Access:
		want.Records, records = n, held
	case dsar.Portability:
		if want.Records, records = n, held; d.Dataset == "scores" { // derived: left out, and counted
			want.Records, want.LeftOutRecords, records = 0, d.LeftOutRecords, nil
		}
	case dsar.KnowCategories:
		want.Found = n
	case dsar.Erasure:
		want.Found, want.Erased = n, n-kept
		if kept > 0 {
			want.Retained = []struct{ Records int64 }{{kept}}
		}
	case dsar.Rectification:
		want.Rectified = n
	case dsar.Restriction:
		want.Restricted = n
	}
	if d.Records != want.Records || d.LeftOutRecords != want.LeftOutRecords || d.Found != want.Found || d.Erased+d.Gone != want.Erased ||
		d.Rectified != want.Rectified || d.Restricted != want.Restricted || !slices.Equal(d.Retained, want.Retained) {
		w.fail("request %s, %s: the answer says of %s %+v, want %+v", a.id, a.right, s.manifest.System, d, want)
	}
	w.checkRows(a, s, d.Dataset, file, records)
}

func (w *simulation) checkRows(a *asked, s *system, dataset, file string, want map[int]row) {
	var rows []struct {
		ID          int
		Owner, Note string
	}
	if file != "" {
		w.must(json.Unmarshal([]byte(file), &rows))
	}
	var got []int
	for _, r := range rows {
		got = append(got, r.ID)
		if seeded := want[r.ID]; seeded.owner != r.Owner || seeded.note != r.Note {
			w.fail("request %s: record %d of %s is not as %s holds it", a.id, r.ID, dataset, s.manifest.System)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
		w.fail("request %s of person %d: the bundle holds the records %v of %s in %s, want %v", a.id, a.person, got, dataset, s.manifest.System, slices.Sorted(maps.Keys(want)))
	}
}
