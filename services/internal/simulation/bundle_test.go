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
	"habeas.dev/services/internal/statement"
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
	answer, err := statement.Read([]byte(files[bundle.AnswerFile(a.right)]))
	if err != nil {
		w.fail("request %s: %v", a.id, err)
		return
	}
	if len(answer.Systems) != len(w.systems) {
		w.fail("request %s: the answer tells of %d systems", a.id, len(answer.Systems))
		return
	}
	for i, s := range w.systems {
		if slices.Contains(a.byHand, s.manifest.System) {
			continue // it says what the agent said
		}
		for _, d := range answer.Systems[i].Datasets {
			w.checkAnswered(a, s, &answer, d.Dataset, files[s.manifest.System+"/"+d.Dataset+".json"])
		}
	}
}

// answered is what the answer says of a dataset, in numbers of records.
type answered struct {
	shown, found, erased, kept, corrected, restricted int64
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
func (w *simulation) checkAnswered(a *asked, s *system, told *statement.Answer, dataset, file string) {
	held, kept := map[int]row{}, int64(0)
	if w.reaches(s.manifest.System, a.person) {
		for id, r := range s.seeded {
			if r.dataset == dataset && owns(a.person, r.owner) {
				held[id] = r
				if r.retained {
					kept++
				}
			}
		}
	}
	said := func(kinds ...statement.Kind) int64 { return told.Records(s.manifest.System, dataset, kinds...) }
	got := answered{
		shown: said(statement.Shown), found: said(statement.Found, statement.Held), erased: said(statement.Erased, statement.Anonymised, statement.Gone, statement.MaybeErased),
		kept: said(statement.Kept), corrected: said(statement.Corrected), restricted: said(statement.Restricted),
	}
	n := int64(len(held))
	var want answered
	records := map[int]row{}
	switch a.right {
	case dsar.Access:
		want.shown, records = n, held
	case dsar.Portability:
		if want.shown, records = n, held; dataset == "scores" { // derived: left out, and counted
			want.shown, records = 0, nil
		}
	case dsar.KnowCategories:
		want.found = n
	case dsar.Erasure:
		want.found, want.erased, want.kept = n, n-kept, kept
	case dsar.Rectification:
		want.corrected = n
	case dsar.Restriction:
		want.restricted = n
	}
	if got != want {
		w.fail("request %s, %s: the answer says of %s %s %+v, want %+v", a.id, a.right, s.manifest.System, dataset, got, want)
	}
	if n > 0 && len(told.About(s.manifest.System, dataset, statement.Empty)) > 0 {
		w.fail("request %s, %s: %s %s is said to be empty", a.id, a.right, s.manifest.System, dataset)
	}
	w.checkRows(a, s, dataset, file, records)
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
