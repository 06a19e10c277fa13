package intake

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/pkg/identifier"
)

// read checks what was submitted: by the schema, and then what no schema can
// say. Its errors are refusals.
func (in *Intake) read(data []byte) (event.Submitted, error) {
	if err := in.Validator.ValidateData(event.TypeSubmitted, data); err != nil {
		return event.Submitted{}, refuse(err)
	}
	var s event.Submitted
	if json.Unmarshal(data, &s) != nil {
		// The decoder quotes; and what the schema takes, it takes too
		// (FuzzSubmit).
		return event.Submitted{}, refuse(event.Invalid(event.Violation{Rule: "can't be read"}))
	}
	if v := in.check(s); len(v) > 0 {
		return s, refuse(event.Invalid(v...))
	}
	j, _ := in.Policy.Jurisdiction(s.Jurisdiction)
	grant, granted := j.Grant(s.Right, s.ReceivedAt)
	if !granted {
		v := event.Violation{Pointer: "/right", Rule: "must be one that " + j.ID + " grants: " + listed(j.Granted(s.ReceivedAt))}
		return s, &Refusal{Code: "right-not-granted", Reason: v.String(), Violations: []event.Violation{v}}
	}
	// A complaint is about anything that an operator does with data (Data Protection Act 2018, s. 164A).
	if about := s.About != ""; grant.AboutEarlier() != about && (about || s.Right != dsar.Complaint) {
		return s, refuse(event.Invalid(event.Violation{Pointer: "/about", Rule: "must be there with an appeal, may be with a complaint, and with nothing else"}))
	}
	if wrong := in.wrongPurposes(j, grant, s); len(wrong) > 0 {
		return s, refuse(event.Invalid(wrong[:min(len(wrong), event.MaxViolations)]...))
	}
	return s, nil
}

func (in *Intake) check(s event.Submitted) (found []event.Violation) {
	bad := func(pointer, rule string) {
		if len(found) < event.MaxViolations {
			found = append(found, event.Violation{Pointer: pointer, Rule: rule})
		}
	}
	if s.ReceivedAt.After(in.Now().Add(MaxFuture)) {
		bad("/received_at", "must be at most a day in the future")
	}
	if _, ok := in.Policy.Jurisdiction(s.Jurisdiction); !ok {
		bad("/jurisdiction", "must be one of "+strings.Join(in.Policy.IDs(), ", "))
	}
	for i, id := range s.Subject.Identifiers {
		place := "/subject/identifiers/" + strconv.Itoa(i)
		if !in.types[id.Type] {
			bad(place+"/type", "must be a type that some system knows")
		}
		// An empty identifier would be that of everybody who has none; and what is none
		// of its type finds nobody, which would be told as nothing held.
		if rule := identifier.Malformed(id.Type, id.Value); rule != "" {
			bad(place+"/value", rule)
		}
	}
	if s.Right == dsar.Rectification && (s.Details == nil || len(s.Details.Corrections) == 0) {
		bad("/details/corrections", "must be there: a rectification says which field is wrong, and what it should say")
	}
	if s.Details != nil {
		if s.Details.Message != "" && !s.Right.Decided() {
			bad("/details/message", "must not be there: it goes with what a person decides, such as a complaint")
		}
		for i, c := range s.Details.Corrections {
			if !slices.Contains(in.Columns, c.Column) && !slices.Contains(in.Concepts, c.Column) {
				bad("/details/corrections/"+strconv.Itoa(i)+"/column", "must be a field that some system has, or a concept: "+strings.Join(in.Concepts, ", "))
			}
			if first := slices.IndexFunc(s.Details.Corrections[:i], func(o event.Correction) bool { return meet(o, c) }); first >= 0 {
				bad("/details/corrections/"+strconv.Itoa(i), "must be of another field than /details/corrections/"+strconv.Itoa(first)+": one field gets one value")
			}
		}
		if details, err := json.Marshal(s.Details); err != nil || len(details) > MaxDetails {
			bad("/details", fmt.Sprintf("must have at most %d bytes", MaxDetails))
		}
	}
	return found
}

// meet reports whether two corrections are of one field: each gives it a value, and only one
// can stand. A correction that names no system, or no dataset, is of all of them.
func meet(a, b event.Correction) bool {
	both := func(a, b string) bool { return a == "" || b == "" || a == b }
	return a.Column == b.Column && both(a.System, b.System) && both(a.Dataset, b.Dataset)
}

func listed(rights []dsar.Right) string {
	names := make([]string, len(rights))
	for i, r := range rights {
		names[i] = string(r)
	}
	return strings.Join(names, ", ")
}
