package console_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/memjournal"
	"habeas.dev/services/internal/lifecycle"
)

// patternID stands for a request's id in the lives that are copied.
const patternID = "00000000-0000-4000-8000-00000000feed"

// life is a request as the core left it: each seeded request is a copy of one,
// under its own id, with its own chain.
type life struct {
	share int // of a thousand requests
	row   journal.Row
	facts []journal.Fact
}

// benchSystems are those of the lives; few requests ever wait for the last one.
var benchSystems = []string{"account", "billing", "marketo", "salesforce", "archive"}

// lives returns requests at all places of their life, by the real core: most have
// ended, as in any journal that is a few years old.
func lives(b *testing.B) []life {
	b.Helper()
	report := func(system string, action dsar.Action, attempt int, kind dsar.ReportKind, o dsar.Outcome) dsar.Report {
		r := dsar.Report{RequestID: patternID, System: system, Action: action, Attempt: attempt, Kind: kind, Outcome: o}
		switch {
		case kind == dsar.ReportParked:
			r.Until, r.Code, r.Reason = start.Add(time.Hour), "rate-limited", "the vendor's quota is used up"
		case kind == dsar.ReportFailed:
			r.Code, r.Reason = "no-permission", "the vendor says no"
		case o == dsar.Gathered:
			r.Counts = []dsar.Counts{{Dataset: "records", Found: 12, Gathered: 12}}
			r.Objects = []dsar.Object{{Name: system + "/gather/1", Bytes: 4000, Records: 12}}
		case o == dsar.Erased:
			r.Counts = []dsar.Counts{{Dataset: "records", Found: 12, Erased: 12}}
		case o == dsar.Found:
			r.Counts = []dsar.Counts{{Dataset: "records", Found: 12}}
			r.Objects = []dsar.Object{{Name: system + "/plan/1-test", Bytes: 600, Records: 12, SHA256: strings.Repeat("0", 64)}}
		}
		return r
	}
	all := func(action dsar.Action, o dsar.Outcome, but ...string) (out []dsar.Report) {
		for _, s := range benchSystems {
			if !contains(but, s) {
				out = append(out, report(s, action, 1, dsar.ReportEnded, o))
			}
		}
		return out
	}
	assembled := report(dsar.Aggregator, dsar.Assemble, 1, dsar.ReportEnded, dsar.Assembled)
	assembled.Objects = []dsar.Object{{Name: "bundle.zip", Bytes: 100_000, Records: 84}}
	parked := func(s string) dsar.Report { return report(s, dsar.Gather, 1, dsar.ReportParked, "") }
	failed := func(s string) dsar.Report { return report(s, dsar.Gather, 1, dsar.ReportFailed, "") }
	erasure := append(append(all(dsar.Plan, dsar.Found), all(dsar.Erase, dsar.Erased)...), append(all(dsar.Prove, dsar.Proven), assembled)...)
	var out []life
	add := func(share int, right dsar.Right, law string, reports []dsar.Report, acts ...core.Command) {
		out = append(out, live(b, share, right, law, reports, acts...))
	}
	add(480, dsar.Access, "EEA", append(all(dsar.Gather, dsar.Gathered), assembled))
	add(200, dsar.Access, "UK", append(append([]dsar.Report{parked("marketo")}, all(dsar.Gather, dsar.Gathered)...), assembled))
	add(180, dsar.Erasure, "EEA", erasure)
	add(80, dsar.Erasure, "California", erasure)
	add(10, dsar.Access, "Brazil", nil, core.Cancel{By: "lea", Reason: "asked twice", Now: start.Add(time.Hour)})
	add(20, dsar.Access, "EEA", all(dsar.Gather, dsar.Gathered, "salesforce"))
	add(10, dsar.Erasure, "EEA", all(dsar.Plan, dsar.Found, "marketo"))
	add(10, dsar.Access, "EEA", append([]dsar.Report{failed("billing")}, all(dsar.Gather, dsar.Gathered, "billing")...))
	add(6, dsar.Access, "UK", nil, core.AskProof{By: "lea", Reason: "nothing is verified", Now: start.Add(time.Hour)})
	add(3, dsar.Access, "EEA", nil, core.AskClarification{By: "lea", Reason: "which contract", Now: start.Add(time.Hour)})
	add(1, dsar.Access, "California", append([]dsar.Report{failed("archive")}, all(dsar.Gather, dsar.Gathered, "archive")...))
	return out
}

func contains(list []string, one string) bool {
	return strings.Contains(" "+strings.Join(list, " ")+" ", " "+one+" ")
}

func live(b *testing.B, share int, right dsar.Right, law string, reports []dsar.Report, acts ...core.Command) life {
	b.Helper()
	j := memjournal.New(memjournal.Config{})
	l := lifecycle.New(j)
	a := core.Accepted{RequestID: patternID, Right: right, Jurisdiction: law, Locale: "fr", ReceivedAt: start, AcceptedAt: start, DueAt: start.AddDate(0, 1, 0), Source: "signup-page", Digest: patternID,
		Identifiers: []dsar.Identifier{{Type: "email", Fingerprint: strings.Repeat("0", 64), Sealed: make([]byte, 90), Assurance: dsar.AssuranceVerified}, {Type: "account_id", Fingerprint: strings.Repeat("1", 64), Sealed: make([]byte, 70), Assurance: dsar.AssuranceVerified}}}
	for _, name := range benchSystems {
		a.Systems = append(a.Systems, dsar.System{Name: name, Abilities: []dsar.Action{dsar.Gather, dsar.Erase}, Needs: []dsar.IdentifierType{"email"}})
	}
	if _, err := l.Accept(context.Background(), a); err != nil {
		b.Fatal(err)
	}
	at := start
	for _, r := range reports {
		at = at.Add(time.Second)
		if _, err := l.Do(context.Background(), patternID, core.TakeReport{Report: r, Now: at}); err != nil {
			b.Fatal(err)
		}
		if r.Kind == dsar.ReportParked {
			if _, err := l.Do(context.Background(), patternID, core.Tick{Now: start.Add(2 * time.Hour)}); err != nil {
				b.Fatal(err)
			}
			for i := range reports {
				if reports[i].System == r.System && reports[i].Action == r.Action {
					reports[i].Attempt = 2
				}
			}
		}
	}
	for _, c := range acts {
		if _, err := l.Do(context.Background(), patternID, c); err != nil {
			b.Fatal(err)
		}
	}
	row, err := j.Row(context.Background(), patternID)
	if err != nil {
		b.Fatal(err)
	}
	facts, err := j.Facts(context.Background(), patternID, 1)
	if err != nil {
		b.Fatal(err)
	}
	return life{share, row, facts}
}

// seededID returns the id of a request by its number, and seededAddress its
// person's address.
func seededID(i int) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, fmt.Appendf(nil, "request %d", i)).String()
}

func seededAddress(i int) string { return fmt.Sprintf("person-%d@example.com", i) }

// seed copies lives into an empty journal, over three years.
func seed(b *testing.B, url string, requests int, print func(address string) string) (facts int) {
	b.Helper()
	patterns := lives(b)
	var of []*life // by a request's number, of a thousand
	for i := range patterns {
		for range patterns[i].share {
			of = append(of, &patterns[i])
		}
	}
	// Neighbours aren't alike: 619 and 1000 have no common factor.
	lifeOf := func(i int) *life { return of[i*619%len(of)] }
	shift := func(i int) time.Duration {
		if lifeOf(i).row.Status == core.StatusCompleted || lifeOf(i).row.Status == core.StatusCancelled {
			return -time.Duration(requests-i) * (3 * 365 * 24 * time.Hour) / time.Duration(requests)
		}
		return -time.Duration(i*7919%(40*24*60)) * time.Minute // the open ones came in the last forty days
	}
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close(ctx) }()
	copyIn := func(table string, columns []string, next func() ([]any, error)) int {
		n, err := conn.CopyFrom(ctx, pgx.Identifier{table}, columns, pgx.CopyFromFunc(next))
		if err != nil {
			b.Fatal(err)
		}
		return int(n)
	}
	chain, hash := journal.NewChain(), make([][]byte, requests)
	i, v := 0, 0
	facts = copyIn("fact", []string{"request", "version", "type", "at", "data", "hash"}, func() ([]any, error) {
		if i == requests {
			return nil, nil
		}
		f := lifeOf(i).facts[v]
		f.RequestID = seededID(i)
		f.At, f.Data = f.At.Add(shift(i)).Truncate(time.Microsecond), bytes.ReplaceAll(f.Data, []byte(patternID), []byte(f.RequestID))
		hash[i] = chain.Next(nil, hash[i], &f)
		out := []any{int64(i + 1), int32(f.Version), f.Type, f.At, f.Data, hash[i]}
		if v++; v == len(lifeOf(i).facts) {
			i, v = i+1, 0
		}
		return out, nil
	})
	i = 0
	copyIn("request", []string{"num", "id", "version", "hash", "status", "right", "jurisdiction", "source", "digest", "received_at", "due_at", "wake_at", "updated_at", "overdue", "waiting", "assignee"}, func() ([]any, error) {
		if i == requests {
			return nil, nil
		}
		r, by := lifeOf(i).row, shift(i)
		waiting, assignee := append([]string{}, r.Waiting...), ""
		if !r.Status.Ended() && i%3 == 0 {
			assignee = fmt.Sprintf("agent-%d", i%20)
			if i%2 == 0 {
				assignee = "a.viewer"
			}
		}
		out := []any{int64(i + 1), seededID(i), int32(r.Version), hash[i], r.Status, r.Right, r.Jurisdiction, r.Source, r.Digest, r.ReceivedAt.Add(by), r.DueAt.Add(by), nil, r.UpdatedAt.Add(by), false, waiting, assignee}
		i++
		return out, nil
	})
	i = 0
	copyIn("fingerprint", []string{"fingerprint", "request"}, func() ([]any, error) {
		if i == 2*requests {
			return nil, nil
		}
		text := print(seededAddress(i / 2))
		if i%2 == 1 {
			text = print(fmt.Sprintf("account %d", i/2))
		}
		out := []any{text, int64(i/2 + 1)}
		i++
		return out, nil
	})
	for _, sql := range []string{"SELECT setval(pg_get_serial_sequence('request', 'num'), (SELECT max(num) FROM request))", "VACUUM ANALYZE", "CHECKPOINT"} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			b.Fatal(err)
		}
	}
	return facts
}
