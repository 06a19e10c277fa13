// Package figures counts a year's requests under one law, as a law wants it published (11
// CCR 7102): how many of each right came in, were complied with in whole or in part, and
// were denied, and in how many days. It needs no data of anybody: it reads the facts.
package figures

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/policy"
)

// Figures are those of one law and one calendar year, by the law's own days.
type Figures struct {
	Law  string `json:"law"`
	Year int    `json:"year"`
	// Rows has one for each right that the law grants, or counts together with others, in
	// the order of its file.
	Rows []Row `json:"rows"`
}

// Row counts the requests of one right that were received in the year, or of several that
// the law counts as one. Received is the sum of the others.
type Row struct {
	Rights []dsar.Right `json:"rights"`
	// Name is what the law's file calls several rights.
	Name     policy.Text `json:"name,omitempty"`
	Received int         `json:"received"`
	// Whole and Part were complied with. In part: something had to stay, could not be
	// reached, or was answered in a lesser way.
	Whole int `json:"complied_in_whole"`
	Part  int `json:"complied_in_part"`
	// Denied were refused; of an appeal or a complaint, dismissed.
	Denied int `json:"denied"`
	// Withdrawn were cancelled, Merged are answered by another request, and Open wait
	// for their answer.
	Withdrawn int `json:"withdrawn"`
	Merged    int `json:"merged"`
	Open      int `json:"open"`
	// Mean and Median are of the days from receipt to the answer or the denial, to one
	// decimal; Answered is of how many.
	Answered int     `json:"answered"`
	Mean     float64 `json:"mean_days"`
	Median   float64 `json:"median_days"`

	days []int
}

// Requests lists requests and reads them.
type Requests interface {
	List(ctx context.Context, f journal.Filter) ([]journal.Row, error)
}

// States reads requests.
type States interface {
	State(ctx context.Context, requestID string) (core.State, error)
}

// Of counts the requests that were received in a year under a law.
func Of(ctx context.Context, requests Requests, states States, j policy.Jurisdiction, year int) (Figures, error) {
	out := Figures{Law: j.ID, Year: year}
	rows := map[dsar.Right]*Row{}
	out.Rows = rowsOf(j)
	for i := range out.Rows {
		for _, right := range out.Rows[i].Rights {
			rows[right] = &out.Rows[i]
		}
	}
	f := journal.Filter{Jurisdiction: j.ID, Statuses: core.Statuses(), Limit: journal.MaxList}
	for {
		page, err := requests.List(ctx, f)
		if err != nil {
			return out, fmt.Errorf("figures: %w", err)
		}
		for _, r := range page {
			row := rows[r.Right]
			if row == nil || j.Local(r.ReceivedAt).Year() != year {
				continue
			}
			s, err := states.State(ctx, r.RequestID)
			if err != nil {
				return out, fmt.Errorf("figures: request %s: %w", r.RequestID, err)
			}
			row.count(j, s)
		}
		if len(page) < f.Limit || j.Local(page[len(page)-1].ReceivedAt).Year() < year {
			break
		}
		f.After = page[len(page)-1].Cursor()
	}
	for i := range out.Rows {
		out.Rows[i].average()
	}
	return out, nil
}

// rowsOf returns the rows of a law, with nothing counted.
func rowsOf(j policy.Jurisdiction) []Row {
	var rows []Row
	for _, g := range j.Rights {
		together := slices.IndexFunc(j.Figures, func(f policy.Figure) bool { return slices.Contains(f.Rights, g.Right) })
		switch {
		case together < 0:
			rows = append(rows, Row{Rights: []dsar.Right{g.Right}})
		case !slices.ContainsFunc(rows, func(r Row) bool { return slices.Contains(r.Rights, g.Right) }):
			rows = append(rows, Row{Rights: j.Figures[together].Rights, Name: j.Figures[together].Name})
		}
	}
	return rows
}

// count adds one request.
func (r *Row) count(j policy.Jurisdiction, s core.State) {
	r.Received++
	switch {
	case s.Status == core.StatusRefused:
		r.Denied++
		r.days = append(r.days, days(j, s, s.EndedAt))
	case s.Status == core.StatusMerged:
		r.Merged++
	case s.Status == core.StatusCancelled:
		r.Withdrawn++
	case s.AnsweredAt.IsZero():
		r.Open++
	default:
		switch {
		case s.Decision.Finding == core.Dismissed:
			r.Denied++
		case partly(s):
			r.Part++
		default:
			r.Whole++
		}
		r.days = append(r.days, days(j, s, s.AnsweredAt))
	}
}

// partly reports whether an answered request was complied with in part only.
func partly(s core.State) bool {
	if s.Right != s.Accepted.Right || s.Decision.Finding == core.PartlyUpheld {
		return true
	}
	if slices.ContainsFunc(s.Parts, func(p core.RefusedPart) bool { return heldSomething(s, p) }) {
		return true
	}
	stages := s.Right.Stages()
	return slices.ContainsFunc(s.Tasks, func(t *core.TaskState) bool {
		return slices.Contains(stages, t.Action) && (t.End.Outcome == dsar.Incomplete || t.End.Code == core.CodeNotProven ||
			slices.ContainsFunc(t.End.Counts, func(c dsar.Counts) bool { return c.Kept() > 0 || c.Uncovered != "" || len(c.Refused) > 0 }))
	})
}

// heldSomething reports whether there was something in a dataset that a copy was refused of.
func heldSomething(s core.State, p core.RefusedPart) bool {
	return slices.ContainsFunc(s.Tasks, func(t *core.TaskState) bool {
		return t.System == p.System && t.Action == dsar.Gather && slices.ContainsFunc(t.End.Counts, func(c dsar.Counts) bool { return c.Dataset == p.Dataset && c.Found > 0 })
	})
}

// days returns how many of the law's days lie between receipt and an answer.
func days(j policy.Jurisdiction, s core.State, at time.Time) int {
	midnight := func(t time.Time) time.Time {
		y, m, d := j.Local(t).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	return int(midnight(at).Sub(midnight(s.Accepted.ReceivedAt)) / (24 * time.Hour))
}

func (r *Row) average() {
	r.Answered = len(r.days)
	if r.Answered == 0 {
		return
	}
	slices.Sort(r.days)
	sum := 0
	for _, d := range r.days {
		sum += d
	}
	middle := r.Answered / 2
	r.Mean = round(float64(sum) / float64(r.Answered))
	if r.Median = float64(r.days[middle]); r.Answered%2 == 0 {
		r.Median = round(float64(r.days[middle-1]+r.days[middle]) / 2)
	}
}

func round(x float64) float64 { return math.Round(x*10) / 10 }
