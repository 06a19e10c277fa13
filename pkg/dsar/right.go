package dsar

// Right is what a person may ask of their data. The names are those of the
// privacy notice (N1 to N4) and stand in every message, table and page.
type Right string

// The rights that a request can exercise.
const (
	Access            Right = "access"             // GDPR art. 15, CCPA 1798.110
	Portability       Right = "portability"        // GDPR art. 20
	KnowCategories    Right = "know-categories"    // CCPA 1798.110(a)(1) to (4)
	Erasure           Right = "erasure"            // GDPR art. 17, CCPA 1798.105
	Rectification     Right = "rectification"      // GDPR art. 16, CCPA 1798.106
	Restriction       Right = "restriction"        // GDPR art. 18
	Objection         Right = "objection"          // GDPR art. 21
	ConsentWithdrawal Right = "consent-withdrawal" // GDPR art. 7(3)
	OptOut            Right = "opt-out"            // CCPA 1798.120
)

// The rights that are about the answer to an earlier request, and not about data. A
// person decides them ([Right.Decided]), as they do what a law's file adds besides.
const (
	Appeal    Right = "appeal"    // C.R.S. 6-1-1306(3)
	Complaint Right = "complaint" // UK Data Protection Act 2018, s. 164A
)

// Rights lists every right over data, in the order in which the notice names them.
func Rights() []Right {
	return []Right{Access, Portability, KnowCategories, Erasure, Rectification, Restriction, Objection, ConsentWithdrawal, OptOut}
}

// maxRight bounds a right's name, in bytes: it is a label of metrics.
const maxRight = 40

// Valid reports whether a right has the form of one: a to z and single hyphens, 40
// characters at most. Which there are beside those of [Rights] laws' files say.
func (r Right) Valid() bool {
	if r == "" || len(r) > maxRight {
		return false
	}
	for i := range len(r) {
		hyphen := r[i] == '-' && i > 0 && i < len(r)-1 && r[i-1] != '-'
		if !hyphen && (r[i] < 'a' || r[i] > 'z') {
			return false
		}
	}
	return true
}

// Decided reports whether a person decides a request of this right, and no system is
// asked: each right but those of [Rights].
func (r Right) Decided() bool { return len(r.Stages()) == 0 }

// Action is what one system is asked to do for one request. All but [Resolve]
// are also stages of a request's life; see [Right.Stages].
type Action string

// The actions, in the order in which a request can meet them.
const (
	Resolve  Action = "resolve"  // find more identifiers from those that are known
	Gather   Action = "gather"   // copy the records into the vault
	Plan     Action = "plan"     // of an erasure: what is held and what must stay, by key. Of the right to know categories: how much is held
	Erase    Action = "erase"    // delete or anonymise, except what must stay
	Prove    Action = "prove"    // ask again: nothing but what must stay may be found
	Rectify  Action = "rectify"  // change the fields that the person corrected
	Restrict Action = "restrict" // stop processing, keep the records
	Assemble Action = "assemble" // write the bundle; the aggregator's action
)

// Destructive reports whether an action changes what a system holds.
func (a Action) Destructive() bool { return a == Erase || a == Rectify || a == Restrict }

// Aggregator is the name under which the aggregator receives its tasks and
// reports. No system may be called so.
const Aggregator = "aggregator"

// Habeas is the name under which answers say what Habeas keeps of the person itself. No
// system may be called so.
const Habeas = "habeas"

// Stages lists the stages that a right goes through, in order. A stage begins
// when every system has ended the one before it, so that nothing is erased
// before the whole plan is known. The last is always [Assemble]: every request
// is answered with a bundle. [Resolve] is no stage: it happens within the first
// one, as far as a system has to wait for it. A right that a person decides has none.
func (r Right) Stages() []Action {
	switch r {
	case Access, Portability:
		return []Action{Gather, Assemble}
	case KnowCategories:
		return []Action{Plan, Assemble}
	case Erasure:
		return []Action{Plan, Erase, Prove, Assemble}
	case Rectification:
		return []Action{Rectify, Assemble}
	case Restriction, Objection, ConsentWithdrawal, OptOut:
		return []Action{Restrict, Assemble}
	default:
		return nil // a person decides it
	}
}

// Ability returns the ability that a system needs in order to take this action on.
// Planning, erasing and proving are one ability: who can't plan can't prove.
func (a Action) Ability() Action {
	switch a {
	case Plan, Prove:
		return Erase
	default:
		return a
	}
}
