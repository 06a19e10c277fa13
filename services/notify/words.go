package notify

import (
	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// words holds the texts of one language of mail.
type words struct {
	language string
	habeas   string            // before what a subject says
	count    map[Kind]counting // how many there are of a kind
	fresh    map[Kind]string   // above those that are new
	colon    string            // between a request and what is said of it
	silent   string            // a system, and since when
	due      string            // a date
	waits    string            // systems
	hands    string            // somebody
	left     string            // how many more
	all      string            // the console's address
	words    map[string]string // of the journal; those that aren't here stay as they are
}

// counting is a text with a number in it, for one and for more.
type counting struct{ one, many string }

// word returns a word of the journal.
func (w words) word(of string) string {
	if text, ok := w.words[of]; ok {
		return text
	}
	return of
}

var english = words{
	language: "en", habeas: "Habeas: ", colon: ": ",
	count: map[Kind]counting{
		SystemDown: {"%s system doesn’t answer", "%s systems don’t answer"}, Overdue: {"%s overdue", "%s overdue"},
		Attention: {"%s needs attention", "%s need attention"}, DueSoon: {"%s due soon", "%s due soon"},
	},
	fresh:  map[Kind]string{SystemDown: "New: systems that don’t answer", Overdue: "New: overdue", Attention: "New: needs a person", DueSoon: "New: due soon"},
	silent: "%s, asked in vain since %s", due: "due %s", waits: "waits for %s", hands: "in the hands of %s", left: "and %d more", all: "All of them: %s/",
}

var french = words{
	language: "fr", habeas: "Habeas : ", colon: " : ",
	count: map[Kind]counting{
		SystemDown: {"%s système ne répond pas", "%s systèmes ne répondent pas"}, Overdue: {"%s en retard", "%s en retard"},
		Attention: {"%s à traiter", "%s à traiter"}, DueSoon: {"%s bientôt à échéance", "%s bientôt à échéance"},
	},
	fresh:  map[Kind]string{SystemDown: "Nouveau : des systèmes qui ne répondent pas", Overdue: "Nouveau : en retard", Attention: "Nouveau : à traiter", DueSoon: "Nouveau : bientôt à échéance"},
	silent: "%s, interrogé en vain depuis %s", due: "échéance le %s", waits: "attend %s", hands: "en charge : %s", left: "et %d de plus", all: "Toutes : %s/",
	words: map[string]string{
		string(dsar.Access): "accès", string(dsar.Portability): "portabilité", string(dsar.KnowCategories): "catégories", string(dsar.Erasure): "effacement",
		string(dsar.Rectification): "rectification", string(dsar.Restriction): "limitation", string(dsar.Objection): "opposition",
		string(dsar.ConsentWithdrawal): "retrait du consentement", string(dsar.OptOut): "refus de la vente",
		string(core.StatusAccepted): "acceptée", string(core.StatusAwaitingProof): "attend une preuve", string(core.StatusAwaitingClarification): "attend une précision",
		string(core.StatusGathering): "collecte", string(core.StatusCounting): "comptage", string(core.StatusErasing): "effacement en cours", string(core.StatusProving): "vérification",
		string(core.StatusRectifying): "rectification en cours", string(core.StatusRestricting): "limitation en cours", string(core.StatusAssembling): "assemblage",
		string(core.StatusNeedsAttention): "à traiter", string(core.StatusCompleted): "achevée", string(core.StatusCancelled): "annulée", string(core.StatusRefused): "refusée", string(core.StatusMerged): "jointe",
	},
}
