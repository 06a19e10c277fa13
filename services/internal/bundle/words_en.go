package bundle

import (
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// english is the answer in English, and the fallback for every other language.
var english = words{
	Lang: "en",
	title: map[dsar.Right]string{
		dsar.Access:            "The data we hold about you",
		dsar.Portability:       "Your data, to take with you",
		dsar.KnowCategories:    "The kinds of data we hold about you",
		dsar.Erasure:           "Certificate of erasure",
		dsar.Rectification:     "Your data, corrected",
		dsar.Restriction:       "Your data, restricted",
		dsar.Objection:         "Your objection",
		dsar.ConsentWithdrawal: "Your consent, withdrawn",
		dsar.OptOut:            "Your opt-out",
	},
	lead: map[dsar.Right]string{
		dsar.Access:            "You asked for a copy of the data that we hold about you. Here it is: what we hold, in which system, what for, and for how long.",
		dsar.Portability:       "You asked for your data in a form that you can take elsewhere. Here is what you gave us and what was recorded from your use of our services, where we process it by your consent or under a contract with you.",
		dsar.KnowCategories:    "You asked which kinds of data we hold about you. Here they are, with where they come from, what they are for and who receives them.",
		dsar.Erasure:           "You asked us to erase the data that we hold about you. This certificate says what was erased, in which system, and how we checked it. Where the law makes us keep something, it says what, why and until when.",
		dsar.Rectification:     "You asked us to correct the data that we hold about you. Here is what was changed, and in which system.",
		dsar.Restriction:       "You asked us to stop using the data that we hold about you, and to keep it. Here is what was restricted, and in which system.",
		dsar.Objection:         "You objected to our use of your data. Here is what was stopped, and in which system.",
		dsar.ConsentWithdrawal: "You withdrew your consent. Here is what was stopped, and in which system.",
		dsar.OptOut:            "You opted out of the sale and sharing of your data. Here is what was changed, and in which system.",
	},
	liftedTitle: "Your data, in use again", liftedLead: "You asked us to go on using the data that you had asked us not to use. Here is what goes on, and in which system.",
	lifted: "In use again", liftedOutcome: outcomeWords{"In use again", "The data is used again as before."},
	fieldsChanged: " (changed: %s)", leftUnchanged: "It says what was recorded at the time, so it stays as it is. Your correction was made where the data is current.",
	legalHold: "Needed for a lawsuit or an inquiry", purposes: "Purposes",
	nothing: "We looked in every system that could hold data about you. None of them holds any. Below is what each system answered.",

	nothingChanged: "We asked every system. What you asked for concerns nothing that any of them holds, so nothing was changed.",

	Skip: "Skip to the answer", Contents: "On this page",
	requestNumber: "Request", received: "Received", answeredBy: "Answered by", law: "Under", contact: "Questions about this answer",
	foundIn: "%s in %s",

	Overview: "At a glance", System: "System", Result: "Answer", records: "Records", kept: "Kept",

	Systems: "System by system", Category: "Category", origin: "Where it comes from", Purpose: "What it is for", legalBasis: "Why we may hold it",
	Recipients: "Who receives it", storage: "How long it is kept", noRecipients: "Nobody outside of our company",
	emptyDatasets: "Also looked for, and empty: %s.",
	preview:       "The first %s of %s are shown. All of them are in the files.",
	Files:         "All of it", AsTable: "table (CSV)", AsJSON: "JSON", field: "Field", value: "Value", yes: "yes", no: "no",
	hidden: "held, not shown", othersHidden: "about somebody else", noValue: "empty",

	Dataset: "Data", found: "Found", erased: "Erased", anonymised: "Made anonymous", rectified: "Corrected", restricted: "Restricted",
	KeptTitle: "What must be kept, and until when",
	KeptLead:  "These records could not be erased yet. They are locked away from every other use.",
	keptUntil: "Kept until %s", keptNoEnd: "No end is known yet",
	KeptNote:    "When that day comes they are erased. You need not ask again.",
	Limits:      "What that means for you:",
	provenTitle: "Checked",
	proven:      "Asked again on %s: nothing was found.",
	provenKept:  "Asked again on %s: nothing was found but what must be kept.",
	notProven:   "No second check was made.",

	LeftOut: "What is not in here, and why", LeftOutLead: "Nothing is left out without a word. This is what you won't find in this folder.",
	leftDerived:    "We worked it out ourselves from other data. The right to take data with you covers what you gave us and what was recorded from your use. You can ask for a copy of this data too: that is the right of access.",
	leftReceived:   "We received it from others. The right to take data with you covers what you gave us and what was recorded from your use. You can ask for a copy of this data too: that is the right of access.",
	leftBasis:      "We hold it on another ground (%s). The right to take data with you covers what rests on your consent or on a contract. You can ask for a copy of this data too: that is the right of access.",
	leftHidden:     "We hold this about you: %s. To keep it safe, the law forbids us to show it in an answer. Its place in the files says “held, not shown”.",
	leftOthers:     "Part of this is about other people, who have a right that we keep it to ourselves. Its place in the files says “about somebody else, not shown”.",
	leftUncovered:  "We could not reach this part, or not all of it. What we could not reach is neither in here nor changed.",
	NothingLeftOut: "Nothing was left out.",

	Categories: "Categories of data", CategoriesLead: "What was collected about you, by category.", Sources: "Sources",

	Looked: "How we looked for you", LookedLead: "Systems know people by different identifiers. These are the ones by which we looked for you.",
	Identifier: "Identifier", HowKnown: "How we know it", fromRequest: "You gave it with your request.", fromRequestVerified: "You gave it with your request, and it was verified.",
	fromSystem: "Found by %s.", fromSystemBy: "Found by %s, from your %s %s.",

	Rights: "Your rights", RightsLead: "You can also ask us:",
	Complaint: "If you are not satisfied", ComplaintLead: "You can complain to:",
	ComplaintGeneral: "You can complain to the data protection authority of the place where you live or work.",
	Automated:        "Automated decisions", Transfers: "Transfers to other countries", Statements: "Also",

	Folder: "What is in this folder", FolderLead: "Keep the folder together: the files belong to each other. You can copy it, print this page, or give the folder to someone else.",
	folderCSV:     "tables, for any spreadsheet. A text that a spreadsheet could take for a formula has an apostrophe before it.",
	folderJSON:    "the same records exactly as they are held, for programs",
	folderPackage: "describes every data file and its columns (Data Package, version 2)",
	folderAnswer:  "what this page says, for programs",
	FolderCheck:   "The files beside this folder let anyone check that nothing was changed or lost (BagIt, RFC 8493).", Colon: ":",

	rightMeans: map[dsar.Right]string{
		dsar.Access: "for a copy of the data that we hold about you", dsar.Portability: "for what you gave us, in a form that you can take elsewhere",
		dsar.KnowCategories: "which kinds of data we collect, from where, what for, and who receives them", dsar.Erasure: "to erase your data",
		dsar.Rectification: "to correct what is wrong", dsar.Restriction: "to keep your data and stop using it", dsar.Objection: "to stop a use of your data that you object to",
		dsar.ConsentWithdrawal: "to stop what you once agreed to: you can withdraw your consent at any time", dsar.OptOut: "not to sell or share your data",
	},
	rightNames: map[dsar.Right]string{
		dsar.Access: "access", dsar.Portability: "portability", dsar.KnowCategories: "to know", dsar.Erasure: "erasure", dsar.Rectification: "rectification",
		dsar.Restriction: "restriction", dsar.Objection: "objection", dsar.ConsentWithdrawal: "withdrawal of consent", dsar.OptOut: "opt-out",
	},
	outcomes: map[dsar.Outcome]outcomeWords{
		dsar.Found:         {"Data held", "This system holds data about you."},
		dsar.Gathered:      {"Data held", "This system holds data about you."},
		dsar.Erased:        {"Erased", "All that this system held about you is erased."},
		dsar.Anonymised:    {"Made anonymous", "What this system held about you is erased, or changed for good so that nobody can be recognised in it."},
		dsar.Rectified:     {"Corrected", "Your corrections were made."},
		dsar.Restricted:    {"Restricted", "The data is kept, and no longer used."},
		dsar.Retained:      {"Partly kept", "Something must be kept for now. The rest is erased."},
		dsar.NothingFound:  {"Nothing held", "This system was asked and holds nothing about you."},
		dsar.NotApplicable: {"Could not be asked", "This system knows people only by %s, and none of yours is known. So it could not be asked about you."},
		dsar.Manual:        {"Handled by a person", "This system can't be asked by machine. A member of our staff handles it."},
		dsar.Failed:        {"No answer", "This system could not answer. What it holds is not in here."},
		dsar.Incomplete:    {"Incomplete", "A part of this system could not be reached. It is named under “What is not in here, and why”."},
	},
	origins: map[manifest.Origin]string{
		manifest.Provided: "You gave it to us", manifest.Observed: "Recorded from your use of our services",
		manifest.Received: "Received from others", manifest.Derived: "Worked out from other data",
	},
	bases: map[string]string{
		"consent": "Your consent", "contract": "A contract with you", "legal-obligation": "A legal obligation",
		"legitimate-interest": "Our legitimate interest", "vital-interest": "Someone's vital interest", "public-task": "A task in the public interest",
	},
	hiddenKinds: map[string]string{
		"government-id": "a government identification number", "financial-account": "a financial account number", "health-id": "a health insurance or medical identification number",
		"password": "an account password", "security-question": "a security question or its answer", "biometric": "unique biometric data",
	},
	identifiers: map[dsar.IdentifierType]string{
		"email": "email address", "phone": "phone number", "account_id": "account number", "customer_ref": "customer reference",
		"cookie_id": "cookie identifier", "tax_id": "tax number",
	},
	goesWith:     " (gone with: %s)",
	knownNowhere: outcomeWords{"Nothing held", "This system knows people only by %s. %s was asked, and knows none of yours."},
	allKept:      outcomeWords{"Kept for now", "All that this system holds about you must be kept for now."},
	nothingToDo:  outcomeWords{"Nothing to change", "This system was asked. What you asked for concerns nothing in it."},
	notDone:      outcomeWords{"Not done", "This system could not answer. What you asked for is not done there."},
	onlyLeftOut:  outcomeWords{"Not covered", "This system holds data about you, but none that the right to take data with you covers."},
	months:       [12]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"},
	or:           "or", and: "and", thousands: ",",
	plurals: map[string][2]string{"record": {"record", "records"}, "system": {"system", "systems"}, "dataset": {"kind of data", "kinds of data"},
		"erased": {"record erased", "records erased"}, "kept": {"record kept for now", "records kept for now"}, "changed": {"record changed", "records changed"}},
}
