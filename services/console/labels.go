package console

import "habeas.dev/pkg/dsar"

// labels are the English for the journal's words.
var labels = map[string]string{
	string(dsar.StatusAccepted): "accepted", string(dsar.StatusAwaitingProof): "awaits proof", string(dsar.StatusAwaitingClarification): "awaits clarification",
	string(dsar.StatusGathering): "gathering", string(dsar.StatusCounting): "counting", string(dsar.StatusErasing): "erasing", string(dsar.StatusProving): "proving",
	string(dsar.StatusRectifying): "rectifying", string(dsar.StatusRestricting): "restricting", string(dsar.StatusAssembling): "assembling",
	string(dsar.StatusNeedsAttention): "needs attention", string(dsar.StatusCompleted): "completed", string(dsar.StatusCancelled): "cancelled",
	string(dsar.StatusRefused): "refused", string(dsar.StatusMerged): "merged",

	string(dsar.Access): "access", string(dsar.Portability): "portability", string(dsar.KnowCategories): "know categories", string(dsar.Erasure): "erasure",
	string(dsar.ConsentWithdrawal): "consent withdrawal", string(dsar.OptOut): "opt-out",
	string(dsar.Rectification): "rectification", string(dsar.Restriction): "restriction", string(dsar.Objection): "objection",

	string(dsar.Resolve): "resolve", string(dsar.Gather): "gather", string(dsar.Count): "count", string(dsar.Erase): "erase", string(dsar.Prove): "prove",
	string(dsar.Rectify): "rectify", string(dsar.Restrict): "restrict", string(dsar.Assemble): "assemble",

	string(dsar.TaskIsSent): "running", string(dsar.TaskIsParked): "parked", string(dsar.TaskIsEnded): "ended", string(dsar.TaskIsFailed): "failed", string(dsar.TaskIsDue): "due again",

	string(dsar.Found): "found", string(dsar.Gathered): "gathered", string(dsar.Erased): "erased", string(dsar.Anonymised): "anonymised", string(dsar.Rectified): "rectified",
	string(dsar.Restricted): "restricted", string(dsar.Retained): "retained", string(dsar.Proven): "proven", string(dsar.Assembled): "assembled",
	string(dsar.NothingFound): "nothing found", string(dsar.NotApplicable): "not applicable", string(dsar.Manual): "by hand", string(dsar.Incomplete): "incomplete",

	string(dsar.LetterConfirmation): "confirmation of receipt", string(dsar.LetterProof): "proof wanted", string(dsar.LetterExtension): "extension",
	string(dsar.LetterRefusal): "refusal", string(dsar.LetterAnswer): "answer", string(dsar.LetterCertificate): "certificate of erasure",

	string(dsar.RemindClarification): "clarification",
	dsar.NotProven:                   "identity not proven",
	dsar.LegalHold:                   "legal hold", "tax-records": "tax records",
	"verified":  "verified",
	nameOfficer: "privacy officer", "smtp": "mail", "fr": "French", "en": "English",
}
