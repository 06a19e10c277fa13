package core

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"habeas.dev/pkg/dsar"
)

// Message is what came and wasn't believed.
type Message string

// The messages that may not be believed.
const (
	MessageTask   Message = "task"   // on a system's topic of tasks: its worker refused it
	MessageReport Message = "report" // on the topic of reports
)

// MaxRejections is how many messages that weren't believed stand in one request's trace.
// Whoever can write to a topic can send them without end; the metric counts all of them.
const MaxRejections = 10

// Disbelieve notes that a message came which said to be of the request, and wasn't
// believed. Nothing else follows from it.
type Disbelieve struct {
	System  string
	Action  dsar.Action
	Attempt int
	Message Message
	Code    string // why
	Now     time.Time
}

func (c Disbelieve) now() time.Time { return c.Now }

func (c Disbelieve) decide(d *decider) error {
	switch {
	case !d.Exists():
		return ErrUnknown
	case c.System != dsar.Aggregator && !slices.ContainsFunc(d.Accepted.Systems, func(s dsar.System) bool { return s.Name == c.System }):
		return ErrStray
	case outcomesOf[c.Action] == nil: // no action
		return ErrStray
	case d.Rejections >= MaxRejections:
		return nil
	}
	d.record(MessageRejected{System: c.System, Action: c.Action, Attempt: c.Attempt, Message: c.Message, Code: c.Code,
		Last: d.Rejections+1 == MaxRejections, Moment: Moment{At: d.now}})
	return nil
}

// mayReport reports whether an outcome is one that an action can have.
func mayReport(a dsar.Action, o dsar.Outcome) bool {
	if o == dsar.NotApplicable || o == dsar.Incomplete {
		return a != dsar.Assemble
	}
	return slices.Contains(outcomesOf[a], o)
}

var outcomesOf = map[dsar.Action][]dsar.Outcome{
	dsar.Resolve:  {dsar.Found, dsar.NothingFound},
	dsar.Gather:   {dsar.Gathered, dsar.NothingFound},
	dsar.Plan:     {dsar.Found, dsar.NothingFound},
	dsar.Erase:    {dsar.Erased, dsar.Anonymised, dsar.Retained, dsar.NothingFound},
	dsar.Prove:    {dsar.Proven, dsar.Found},
	dsar.Rectify:  {dsar.Rectified, dsar.NothingFound},
	dsar.Restrict: {dsar.Restricted, dsar.NothingFound},
	dsar.Assemble: {dsar.Assembled},
}

// Says what a report says that its action, its system or its attempt can't have left;
// empty where it may be true. A report that fails this is a lie or a mistake of its
// worker's, whoever sealed it (TestWhatAReportMayNotSay).
func Says(r dsar.Report) (code string) {
	if r.Kind == dsar.ReportEnded && !mayReport(r.Action, r.Outcome) ||
		r.Kind == dsar.ReportFailed && r.Outcome != dsar.Failed && r.Outcome != dsar.Manual {
		return "false-outcome"
	}
	seen := map[string]bool{}
	for _, c := range r.Counts {
		if negative(c) || seen[c.Dataset] {
			return "false-counts"
		}
		seen[c.Dataset] = true
	}
	own := r.System + "/" + string(r.Action) + "/"
	for _, o := range r.Objects {
		switch {
		case o.Bytes < 0 || o.Records < 0:
			return "false-objects"
		case r.Action == dsar.Assemble: // it is in the outbox
			if rest, ok := strings.CutPrefix(o.Name, r.RequestID); !ok || strings.Contains(rest, "/") || !strings.HasSuffix(rest, ".age") {
				return "false-objects"
			}
		case !isObject(o.Name, own, r.Attempt):
			return "false-objects"
		}
	}
	return ""
}

func negative(c dsar.Counts) bool {
	for _, r := range c.Retained {
		if r.Records < 0 {
			return true
		}
	}
	return min(c.Found, c.Gathered, c.Erased, c.Anonymised, c.Rectified, c.Restricted, c.Gone, c.Reassigned, c.Unclaimed, c.Former, c.Late, c.Mentions) < 0
}

// isObject reports whether a name is one that an attempt of a task leaves: <system>/<action>/<attempt>-<random>.
func isObject(name, own string, attempt int) bool {
	rest, ok := strings.CutPrefix(name, own)
	if !ok || len(name) > maxObjectName {
		return false
	}
	number, random, ok := strings.Cut(rest, "-")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n != attempt || number != strconv.Itoa(n) || random == "" {
		return false
	}
	return strings.IndexFunc(random, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') }) < 0
}

// maxObjectName is the longest name that the vault takes.
const maxObjectName = 200
