package console

import (
	"habeas.dev/pkg/dsar"
	"habeas.dev/services/internal/core"
)

// labels are the English for the journal's words.
var labels = map[string]string{
	string(core.StatusAccepted): "accepted", string(core.StatusAwaitingProof): "awaits proof", string(core.StatusAwaitingClarification): "awaits clarification",
	string(core.StatusGathering): "gathering", string(core.StatusPlanning): "planning", string(core.StatusErasing): "erasing", string(core.StatusProving): "proving",
	string(core.StatusRectifying): "rectifying", string(core.StatusRestricting): "restricting", string(core.StatusAssembling): "assembling",
	string(core.StatusNeedsAttention): "needs attention", string(core.StatusCompleted): "completed", string(core.StatusCancelled): "cancelled",
	string(core.StatusRefused): "refused", string(core.StatusMerged): "merged",

	string(dsar.Access): "access", string(dsar.Portability): "portability", string(dsar.KnowCategories): "know categories", string(dsar.Erasure): "erasure",
	string(dsar.ConsentWithdrawal): "consent withdrawal", string(dsar.OptOut): "opt-out",
	string(dsar.Rectification): "rectification", string(dsar.Restriction): "restriction", string(dsar.Objection): "objection",

	string(dsar.Resolve): "resolve", string(dsar.Gather): "gather", string(dsar.Plan): "plan", string(dsar.Erase): "erase", string(dsar.Prove): "prove",
	string(dsar.Rectify): "rectify", string(dsar.Restrict): "restrict", string(dsar.Assemble): "assemble",

	string(core.TaskIsSent): "running", string(core.TaskIsParked): "parked", string(core.TaskIsEnded): "ended", string(core.TaskIsFailed): "failed", string(core.TaskIsDue): "due again",

	string(dsar.Found): "found", string(dsar.Gathered): "gathered", string(dsar.Erased): "erased", string(dsar.Anonymised): "anonymised", string(dsar.Rectified): "rectified",
	string(dsar.Restricted): "restricted", string(dsar.Retained): "retained", string(dsar.Proven): "proven", string(dsar.Assembled): "assembled",
	string(dsar.NothingFound): "nothing found", string(dsar.NotApplicable): "not applicable", string(dsar.Manual): "by hand", string(dsar.Incomplete): "incomplete",

	string(core.LetterConfirmation): "confirmation of receipt", string(core.LetterProof): "proof wanted", string(core.LetterExtension): "extension",
	string(core.LetterRefusal): "refusal", string(core.LetterAnswer): "answer", string(core.LetterCertificate): "certificate of erasure",

	string(core.RemindClarification):      "clarification",
	core.NotProven:                        "identity not proven",
	core.GroundNotProven(dsar.CheckAgent): "mandate not proven", core.GroundNotProven(dsar.CheckGuardian): "guardianship not proven",
	core.GroundNotProven(dsar.CheckOrganisation): "organisation’s agreement not proven",
	dsar.LegalHold: "legal hold", "tax-records": "tax records",
	"verified":        "verified",
	"privacy-officer": "privacy officer", "smtp": "mail", "fr": "French", "en": "English",
}
