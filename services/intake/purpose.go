package intake

import (
	"slices"
	"strconv"
	"strings"

	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/policy"
)

// wrongPurposes tells what is wrong with the purposes that a request names. A right that
// ends all use of the data, or none, takes no names: it would do more, or something else,
// than was asked.
func (in *Intake) wrongPurposes(j policy.Jurisdiction, grant policy.Grant, s event.Submitted) []event.Violation {
	if grant.Reaches == nil {
		if s.Details == nil || len(s.Details.Purposes) == 0 {
			return nil
		}
		return []event.Violation{{Pointer: "/details/purposes", Rule: "must not be there: " + string(s.Right) + " doesn't go by purpose under the law of " + j.ID}}
	}
	_, wrong := in.ends(j, s)
	return wrong
}

// byMark begins the name of all purposes with a mark: mark:marketing.
const byMark = "mark:"

// ends returns the purposes that a request ends, by id: of those that its right reaches
// the ones that it names, with those that can't go on without them, or all where it names none. A name is an id, or a mark; where an id is
// written like a mark, it is the id alone, and the mark is mark:marketing. It tells what is wrong
// with the names.
func (in *Intake) ends(j policy.Jurisdiction, s event.Submitted) (ids []string, wrong []event.Violation) {
	all, more := j.Reached(s.Right, in.Purposes)
	if s.Details == nil || len(s.Details.Purposes) == 0 {
		return all, nil
	}
	open := slices.Concat(all, more)
	for i, name := range s.Details.Purposes {
		named := in.byName(name, open)
		for _, id := range named {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
		if len(named) == 0 {
			wrong = append(wrong, event.Violation{Pointer: "/details/purposes/" + strconv.Itoa(i), Rule: "must be a purpose that " + string(s.Right) + " ends under the law of " + j.ID + ": " + in.named(open)})
		}
	}
	return in.Purposes.Ending(ids), wrong
}

// byName returns which of some purposes a name means.
func (in *Intake) byName(name string, open []string) []string {
	if _, isID := in.Purposes[name]; isID {
		if slices.Contains(open, name) {
			return []string{name}
		}
		return nil
	}
	mark := strings.TrimPrefix(name, byMark)
	var ids []string
	for _, id := range open {
		if slices.Contains(in.Purposes[id].Marks, mark) {
			ids = append(ids, id)
		}
	}
	return ids
}

// named lists purposes, and the marks by which several of them can be named at once. A
// dataset's own purpose, system.dataset, has no name that a person would use.
func (in *Intake) named(ids []string) string {
	var names []string
	for _, id := range ids {
		if !strings.Contains(id, ".") {
			names = append(names, id)
		}
		for _, mark := range in.Purposes[id].Marks {
			names = append(names, byMark+mark)
		}
	}
	if len(names) == 0 {
		return "there is none"
	}
	slices.Sort(names)
	return strings.Join(slices.Compact(names), ", ")
}
