package console

import (
	"slices"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/timeline"
	"habeas.dev/services/internal/words"
)

// why explains why something stands as it does.
type why struct {
	// Told is the sentence that Habeas has for the code, or everything that was
	// said where it has none.
	Told string
	// Said is what was said of this case, where that says more.
	Said string
	// Worker says that the text is a worker's, which is in English.
	Worker bool
	Code   string
}

// byPeople holds the codes of what people did, for which their own words are shown.
var byPeople = []string{"by-hand", dsar.CodeOthersReleased, dsar.CodeOthersRedacted, dsar.CodeOthersReviewed}

func (l locale) why(code, reason string) why {
	w := why{Told: l.lang.Say(timeline.Cause(code)), Code: code, Worker: !slices.Contains(byPeople, code)}
	switch {
	case w.Told == "":
		w.Told = reason
	case timeline.SaysMore(code, reason):
		w.Said = reason
	}
	return w
}

// wanted is one reason for which a person is wanted, with the systems that have it.
type wanted struct {
	Titles       []string
	Code, Reason string
}

// Wanted returns why tasks have failed, each reason once.
func (b requestBody) Wanted(lang *words.Language) []wanted {
	var out []wanted
	for _, sys := range b.Systems {
		for _, s := range sys.Steps {
			if s.Status != core.TaskIsFailed {
				continue
			}
			title := b.title(lang, sys.System)
			i := slices.IndexFunc(out, func(w wanted) bool { return w.Code == s.Code && w.Reason == s.Reason })
			if i < 0 {
				out = append(out, wanted{Code: s.Code, Reason: s.Reason})
				i = len(out) - 1
			}
			if !slices.Contains(out[i].Titles, title) {
				out[i].Titles = append(out[i].Titles, title)
			}
		}
	}
	return out
}
