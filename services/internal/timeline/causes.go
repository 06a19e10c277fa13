package timeline

import (
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// Cause says in a sentence what a code of Habeas's own means for whoever reads a
// trace, and what they do about it; empty for the code of somebody else's worker,
// whose own words are all there is to say.
func Cause(code string) string { return causes[code] }

// SaysMore reports whether what was said of a case holds more than the sentence of
// its code.
func SaysMore(code, reason string) bool {
	return reason != "" && straight.Replace(reason) != straight.Replace(causes[code])
}

// straight writes every apostrophe as a typewriter does.
var straight = strings.NewReplacer("’", "'")

// cause returns why something stands as it does: in another language by the
// sentence of its code, beside which stands what was said of the case where that
// says more.
func (say Say) cause(code, reason string) string {
	told := say(causes[code])
	switch {
	case told == causes[code]: // in English, what was said says it best
		return reason
	case SaysMore(code, reason):
		return told + " (" + reason + ")"
	default:
		return told
	}
}

// attention says which system a person is wanted for, and why.
func (say Say) attention(e core.AttentionNeeded, s core.State) string {
	why := e.Reason
	for _, t := range s.Tasks {
		if t.Status == core.TaskIsFailed && e.Reason == t.System+": "+t.End.Reason {
			why = say.f("%s: %s", t.System, say.cause(t.End.Code, t.End.Reason))
			break
		}
	}
	return say.f("needs attention: %s", why)
}

// causes are the codes that the core, the SDK and Habeas's own workers give
// (TestEveryCodeHasACause).
var causes = map[string]string{
	// It waits, and goes on by itself.
	"rate-limited":     "calls to this system are being spaced out",
	"too-many-at-once": "this system is asked by too many at once",
	"busy":             "other workers of ours are calling this system as often at once as is allowed",
	"quota":            "the day’s calls that are ours are used up",
	"no-limits":        "how hard the vendor may be called isn’t known at the moment, so it isn’t called",
	"vendor-down":      "the vendor failed many times in a row, and is left alone for a while",
	"unavailable":      "the vendor isn’t available at the moment",
	"unreachable":      "the vendor can’t be reached",
	"connection-lost":  "the connection broke before there was an answer",
	"broken-answer":    "the vendor’s answer could not be read",
	"answer-too-large": "the vendor’s answer is larger than may be read",
	"page-expired":     "the vendor no longer knows the place in a long answer; it is asked anew",
	"locked":           "somebody else holds the record at the moment",
	"in-use":           "a record is in use there at the moment",
	"too-many":         "many records share few addresses; they are asked for in smaller parts",
	"others-first":     "the vendor refuses to be asked for several people at once; each is asked for alone",
	"settling":         "what was deleted there is still shown; it is asked again in a minute",
	"unsure":           "the answer to a deletion was lost; it is asked in a minute what became of it",
	"answer-lost":      "the answer to a deletion was lost; in a minute it will be clear what became of it",
	"unfinished":       "not all records could be deleted yet",
	"bulk-slow":        "a large deletion took too long and was stopped; the next try deletes what is left in another way",
	"timeout":          "the system did not answer in time",
	"transient":        "the system could not be asked",
	"database":         "the database could not be asked",
	"vault":            "the vault could not be read or written",
	"unsealed":         "what was found could not be sealed",

	// A permission, a secret or a configuration is to be mended.
	"no-permission":  "the worker isn’t allowed to do this there: have it granted the permission, then retry",
	"no-bulk":        "the worker isn’t allowed to delete in bulk there",
	"credentials":    "the system refuses the worker’s credentials: have them checked, then retry",
	"no-secret":      "the worker’s secret can’t be read: have its configuration mended, then retry",
	"token-refused":  "the vendor refuses an access token that it has just issued: have the worker’s access checked, then retry",
	"bad-address":    "the vendor’s address in the configuration is none: have it mended, then retry",
	"schema":         "the vendor doesn’t have what the manifest declares, or hides it: have one of the two mended, then retry",
	"pooler":         "a pooler stands before the database, and the worker’s connection isn’t set for it: have its data source corrected, then retry",
	"damaged":        "the database’s file is damaged: have it restored, then retry",
	"schema-changed": "a table or column isn’t as the manifest says any more: have the manifest corrected, then retry",
	"no-manifest":    "the manifest of one of the systems isn’t loaded: have it added, then retry",

	// A person looks at the system, or does it by hand.
	"refused":             "the system refuses this: look there why, then retry or do it by hand",
	"delete-refused":      "the vendor refuses to delete a record, which is still there: see there why",
	"update-refused":      "the vendor refuses to change a record: change it there by hand",
	"crm-sync":            "the vendor doesn’t delete a person whom its CRM holds: erase them there first, then retry",
	"gone":                "the system no longer has what it was asked for",
	"no-profile":          "the vendor has no profile under this reference",
	"stranger":            "the system answered with a record that isn’t this person’s; nothing was done: compare the identifiers there with the request’s",
	"mismatch":            "the database found a row that holds none of the identifiers asked for; nothing was done",
	"shared-identifier":   "more records have these identifiers than one person’s would: an address or a number may be shared",
	"unaskable-address":   "the vendor can’t be asked for this address: look for it there by hand",
	"bad-value":           "the system can’t be asked for this value, or holds one that can’t be copied: look there by hand",
	"file-too-large":      "a file is larger than can be copied by machine: copy it by hand",
	"record-too-long":     "a record is too long to be copied by machine",
	"no-ability":          "no worker can do this in this system: a person does it by hand",
	"not-rectifiable":     "none of the corrected fields can be changed by machine here: correct it by hand, or say no with the reason",
	"fields-unchanged":    "some fields can’t be corrected by machine: a person corrects them by hand",
	"bad-correction":      "the corrected value isn’t of the kind that the field holds: ask the person again",
	"no-correction":       "the request names no corrected field",
	"not-restrictable":    "nothing says how processing is stopped in this system for this right: do it by hand",
	"no-lift":             "the worker can’t undo here what it restricted: undo it by hand",
	dsar.CodeOthers:       "what was gathered may tell of other people: look at it, and say what is shown",
	dsar.CodeNotCovered:   "a part of this system could not be reached; the rest is done",
	dsar.CodePlanTooLarge: "the erasure would touch far more records than one person has: a privacy officer accepts the plan, or cancels",
	dsar.CodePlanUnmet:    "the erasure doesn’t account for every record that was planned: retry, and if it stays so, look in the system",
	dsar.CodePlanMissing:  "the plan of the erasure isn’t in the vault any more: retry, and it is planned anew",
	dsar.CodePlanMismatch: "the plan in the vault isn’t the one that was made, and nothing was erased by it: retry, and it is planned anew",
	"plan-too-long":       "the worker planned more records than any person has: an address or a number may be shared",
	"still-there":         "records are still found after the erasure",

	// The worker makes a mistake: its team mends it.
	"panic":                 "the worker broke off on this task, which is a mistake in its code",
	"bad-report":            "the worker’s report can’t be taken in: its team mends it, then retry",
	"bad-counts":            "the worker’s counts contradict each other: its team mends it, then retry",
	"bad-ground":            "the worker keeps records on a ground that is none: its team mends it, then retry",
	"bad-key":               "the worker planned a record by a key that is none: its team mends it, then retry",
	"plan-closed":           "the worker wrote into a plan after it had said that it was done: its team mends it, then retry",
	"bad-id":                "the vendor answered with a record that has no id",
	"bad-page":              "the vendor named a page outside of its own interface",
	"bad-identifier":        "the worker found an identifier that is empty or too long",
	"too-many-identifiers":  "the worker found more identifiers than one person has: something shared was taken for the person’s own",
	"undeclared-identifier": "the worker found an identifier of a type that its manifest doesn’t list",
	"undeclared-dataset":    "the worker has a dataset that its manifest doesn’t declare: have it declared, then retry",
	"undeclared-column":     "the worker has a column that its manifest doesn’t declare: have it declared, then retry",
	"undeclared":            "a system gathered what its manifest doesn’t declare: have the manifest mended, then retry",
	"dataset-twice":         "the worker took up a dataset a second time: its team mends it, then retry",
	"records-closed":        "the worker wrote a record after it had said that it was done: its team mends it, then retry",
	"unnamed":               "the worker gave no proper code",

	// The answer can't be put together.
	dsar.CodeObjectMissing:  "something that a system gathered isn’t in the vault any more: retry, and it gathers again",
	dsar.CodeObjectDamaged:  "something that a system gathered can’t be read: retry, and it gathers again",
	"identifier-damaged":    "an identifier of the request doesn’t open with the request’s keys",
	"unreadable-identifier": "an identifier can’t be opened with the request’s key",
	"unreadable-details":    "the request’s details can’t be read",
	"shredded":              "the request’s keys are destroyed: nothing of it can be read any more",
	"keys-destroyed":        "the request’s keys were destroyed: there is nothing left to answer with",
	"no-keys":               "the request has no keys in this vault",
	"not-a-bundle":          "a name of a system or of the request can’t be a file’s name",
	"vault-unavailable":     "the vault could not be read",
	"outbox-unavailable":    "the answer could not be written to the outbox",
	"too-slow":              "the answer was not written in time",

	// Why something ended.
	"lifted":                "the restriction was lifted",
	"no-identifier":         "none of the identifiers that it can be asked by is known",
	"counted-nothing":       "the plan found nothing to erase",
	"plan-accepted":         "a person accepted the plan",
	"by-hand":               "a person did it by hand",
	dsar.CodeOthersReleased: "a person looked at it: it is shown as it was gathered",
	dsar.CodeOthersRedacted: "a person looked at it: what is about other people is redacted",
	dsar.LegalHold:          "a legal hold is on",
	core.NotProven:          "proof was not accepted: no copy is given",
}
