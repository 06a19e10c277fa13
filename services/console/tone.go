package console

import (
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// look is how a word of the journal looks: a tone, which is a colour, and an icon.
// The word itself is always written out beside them.
type look struct{ tone, icon string }

// looks has the words that look special; every other word is about something that
// is going on.
var looks = map[string]look{
	string(core.StatusNeedsAttention):        {"bad", "alert"},
	string(core.StatusReviewing):             {"warn", "person"},
	string(dsar.Failed):                      {"bad", "alert"},
	string(dsar.Manual):                      {"bad", "hand"},
	string(dsar.Incomplete):                  {"bad", "alert"},
	string(core.StatusAwaitingProof):         {"warn", "person"},
	string(core.StatusAwaitingClarification): {"warn", "person"},
	string(core.TaskIsParked):                {"warn", "clock"},
	string(dsar.Retained):                    {"warn", "lock"},
	string(core.StatusCompleted):             {"good", "check"},
	string(core.TaskIsEnded):                 {"good", "check"},
	string(dsar.Gathered):                    {"good", "check"},
	string(dsar.Erased):                      {"good", "check"},
	string(dsar.Anonymised):                  {"good", "check"},
	string(dsar.Proven):                      {"good", "check"},
	string(dsar.Found):                       {"good", "check"},
	string(dsar.Rectified):                   {"good", "check"},
	string(dsar.Restricted):                  {"good", "check"},
	string(dsar.Assembled):                   {"good", "check"},
	trackDone:                                {"good", "check"},
	string(core.StatusCancelled):             {"quiet", "cross"},
	string(core.StatusRefused):               {"quiet", "cross"},
	string(core.StatusMerged):                {"quiet", "merge"},
	string(dsar.NothingFound):                {"quiet", "none"},
	string(dsar.NotApplicable):               {"quiet", "none"},
	trackUnused:                              {"quiet", "none"},
	trackWaits:                               {"quiet", "clock"},
	"doesn’t answer":                         {"bad", "alert"},
	"fails":                                  {"bad", "alert"},
	"fails often":                            {"warn", "alert"},
	"fails sometimes":                        {"warn", "alert"},
	"left alone":                             {"warn", "pause"},
	"puts off":                               {"warn", "clock"},
	"not heard of yet":                       {"quiet", "none"},
	"answers":                                {"good", "check"},
	"its worker notes":                       {"warn", "alert"},
	"overdue":                                {"bad", "alert"},
	"paused":                                 {"warn", "pause"},
	"extended":                               {"quiet", "clock"},
	"on hold":                                {"warn", "lock"},
}

// rankOf returns a tone's place in a list: the worst first.
func rankOf(tone string) int {
	return slices.Index([]string{"bad", "warn", "busy", "good", "quiet"}, tone)
}

// tone returns the tone of a word.
func tone(s string) string {
	if l, ok := looks[s]; ok {
		return l.tone
	}
	return "busy"
}

// icon returns the name of a word's icon, in templates/icons.html.
func icon(s string) string {
	if l, ok := looks[s]; ok {
		return l.icon
	}
	return "run"
}
