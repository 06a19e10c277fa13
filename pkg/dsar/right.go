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

// Rights lists every right, in the order in which the notice names them.
func Rights() []Right {
	return []Right{Access, Portability, KnowCategories, Erasure, Rectification, Restriction, Objection, ConsentWithdrawal, OptOut}
}

// Action is what one system is asked to do for one request. Actions are also
// the stages of a request's life: a stage is over when every system has ended
// that action.
type Action string

// The actions, in the order in which a request can meet them.
const (
	Resolve  Action = "resolve"  // find more identifiers from those that are known
	Gather   Action = "gather"   // copy the records into the vault
	Count    Action = "count"    // the plan of an erasure: how much is held, how much must stay
	Erase    Action = "erase"    // delete or anonymise, except what must stay
	Prove    Action = "prove"    // ask again: nothing but what must stay may be found
	Rectify  Action = "rectify"  // change the fields that the person corrected
	Restrict Action = "restrict" // stop processing, keep the records
	Assemble Action = "assemble" // write the bundle; the aggregator's action
)

// Aggregator is the name under which the aggregator receives its tasks and
// reports. No system may be called so.
const Aggregator = "aggregator"

// Stages lists the actions that a right goes through, in order. The last one
// is always [Assemble]: every request is answered with a bundle.
func (r Right) Stages() []Action {
	switch r {
	case Access, Portability:
		return []Action{Resolve, Gather, Assemble}
	case KnowCategories:
		return []Action{Resolve, Count, Assemble}
	case Erasure:
		return []Action{Resolve, Count, Erase, Prove, Assemble}
	case Rectification:
		return []Action{Resolve, Rectify, Assemble}
	case Restriction, Objection, ConsentWithdrawal, OptOut:
		return []Action{Resolve, Restrict, Assemble}
	default:
		return nil
	}
}

// Ability is the ability that a system needs in order to take this action on.
// Counting, erasing and proving are one ability: who can't count can't prove.
func (a Action) Ability() Action {
	switch a {
	case Count, Prove:
		return Erase
	default:
		return a
	}
}
