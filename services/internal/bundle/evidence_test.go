package bundle_test

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/statement"
	"habeas.dev/services/internal/words"
)

// input is a bundle as tests say it: with what its statements rest on.
type input struct {
	RequestID    string
	Right        dsar.Right
	Jurisdiction string
	Locale       string
	ReceivedAt   time.Time
	Identifiers  []statement.Identifier
	Systems      []part
	Policy       policy
	Lift         bool
	Unproven     []dsar.Check
	Without      []dsar.IdentifierType
	Kept         []core.KeptEarlier
	Keep         *core.Keep
	Copies       *core.OwnCopies
	Purposes     []string
	Letter       *bundle.Letter
	Run          bundle.Run
}

type part struct {
	Manifest *manifest.Manifest
	Ends     []core.ActionEnd
	Open     []dsar.Action
	Sources  []bundle.Source
	Former   []bundle.Source
}

type policy struct {
	statement.Controller
}

// told returns what a journal would tell: each end is a fact of its own.
func (in *input) told() core.Answer {
	a := core.Answer{Source: "test", Without: in.Without, Unproven: in.Unproven, Kept: in.Kept, Keep: in.Keep, Copies: in.Copies}
	fact := 1
	next := func() int { fact++; return fact }
	if len(in.Unproven) > 0 {
		a.Judged = next()
	}
	for _, s := range in.Systems {
		if s.Manifest == nil {
			continue
		}
		sys := core.SystemAnswer{System: s.Manifest.System, Open: s.Open}
		resolved := slices.ContainsFunc(s.Ends, func(e core.ActionEnd) bool { return e.Action == dsar.Resolve })
		if !resolved && slices.ContainsFunc(in.Identifiers, func(id statement.Identifier) bool { return id.FoundBy == s.Manifest.System }) {
			sys.Ends = append(sys.Ends, core.ActionEnd{Action: dsar.Resolve, Outcome: dsar.Found, At: in.ReceivedAt, Fact: next()})
		}
		for _, end := range s.Ends {
			end.Fact = next()
			sys.Ends = append(sys.Ends, end)
		}
		a.Systems = append(a.Systems, sys)
	}
	for _, seq := range a.Rests() {
		sum := sha256.Sum256([]byte(strconv.Itoa(seq)))
		a.Facts = append(a.Facts, core.Cited{Seq: seq, Hash: hex.EncodeToString(sum[:])})
	}
	return a
}

// bundle returns the input of the package.
func (in *input) bundle() bundle.Input {
	lang := words.For(in.Locale)
	request := statement.Request{ID: in.RequestID, Right: in.Right, Jurisdiction: in.Jurisdiction, ReceivedAt: in.ReceivedAt, Lift: in.Lift, Purposes: in.Purposes}
	out := bundle.Input{RequestID: in.RequestID, Right: in.Right, Language: lang, ReceivedAt: in.ReceivedAt, Identifiers: in.Identifiers, Run: in.Run}
	var described []statement.System
	for _, s := range in.Systems {
		p := bundle.System{Manifest: s.Manifest, Sources: s.Sources}
		p.Released = slices.ContainsFunc(s.Ends, func(e core.ActionEnd) bool { return e.Code == dsar.CodeOthersReleased })
		p.Former = s.Former
		p.Reviewed = slices.ContainsFunc(s.Ends, func(e core.ActionEnd) bool { return e.Code == dsar.CodeOthersReviewed })
		out.Systems = append(out.Systems, p)
		if s.Manifest != nil {
			described = append(described, bundle.Describe(s.Manifest, lang, in.Jurisdiction))
		}
	}
	out.Tell = func(read []statement.Reading) statement.Document {
		return statement.Document{Format: statement.Format, Request: request, Controller: in.Policy.Controller, Language: lang.Tag, Systems: described,
			Statements: statement.Make(statement.Evidence{Request: request, Told: in.told(), Identifiers: in.Identifiers, Systems: described, Read: read})}
	}
	if in.Letter != nil {
		out.Letter = func(*statement.Document) (*bundle.Letter, error) { return in.Letter, nil }
	}
	return out
}

// answerOf reads the answer of a bundle.
func answerOf(t testing.TB, files map[string]string) statement.Answer {
	t.Helper()
	text := files["data/answer.json"] + files["data/certificate.json"]
	a, err := statement.Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// bundled returns the input of the package, of what is made in place.
func bundled(in input) bundle.Input { return in.bundle() }
