package main

// mutant is a rule, and how it is taken out.
type mutant struct {
	rule string // as issue and design have it
	file string
	old  string // stands there once
	new  string
	test string // those that must go red, as a regular expression
}

const (
	core       = "services/internal/core/"
	sqlsystem  = "pkg/sqlsystem/"
	vendorapi  = "pkg/vendorapi/"
	identifier = "pkg/identifier/"
	statement  = "services/internal/statement/"
)

// also has, by rule, a second place: of a rule that two places hold, either of which
// would do.
var also = map[string]mutant{
	"who isn't proven is told nothing that was found": {file: core + "state.go", old: "Unproven: s.Disproven, ", new: ""},
	"what a system found itself leads it on":          {file: core + "advance.go", old: "(id.FoundBy != sys.Name || sys.LeadsOn(id.Type) || d.link(sys, id).Weak)", new: "id.FoundBy != sys.Name"},
}

// mutants are all of them.
var mutants = []mutant{
	// Who is meant.
	{"what is merely claimed opens nothing", core + "identity.go",
		"if id.Assurance == dsar.AssuranceClaimed || id.Assurance == \"\" {", "if id.Assurance == \"\" {", "TestCase03"},
	{"only what a believed upstream verified is verified", "services/intake/proof.go",
		"return id.Verified || p == ProofNever", "return true || id.Verified || p == ProofNever", "TestCase03"},
	{"who isn't proven is told nothing that was found", core + "identity.go",
		"func (s State) disown() State {\n", "func (s State) disown() State {\n	if len(s.Identifiers) > 0 {\n		return s\n	}\n", "TestCase04"},
	{"a found number belongs to the system that found it", "pkg/manifest/scope.go",
		"return dsar.IdentifierType(m.System + \".\" + string(t))\n}\n\n// askedBy", "return t\n}\n\n// askedBy", "TestCase01"},
	{"a weak link waits for a person", core + "identity.go",
		"case link.Weak && !surely(id):", "case link.Weak && t == nil:", "TestTruth$"},
	{"a link to one person's only waits where it leads to several", core + "identity.go",
		"case link.One && n > 1:", "case link.One && n > 1_000_000:", "TestCase02RoundInACircle"},
	{"what a system found itself leads it on", sqlsystem + "resolve.go",
		"for range maxRounds {", "for range 1 {", "TestCase02"},
	{"blanks at the ends don't count", identifier + "identifier.go",
		"return strings.TrimFunc(value, func(r rune) bool { return unicode.IsControl(r) || strings.ContainsRune(Blanks, r) })", "return strings.TrimFunc(value, unicode.IsControl)", "TestCase05"},
	{"case doesn't count in an address", identifier + "email.go",
		"	s = fold(s)\n	for strings.HasPrefix", "	for strings.HasPrefix", "TestCase05"},
	{"a domain is the same in Unicode and in Punycode", identifier + "email.go",
		"domains.ToASCII(domain); err == nil", "domains.ToASCII(domain); false && err == nil", "TestCase05"},
	{"00 is +", identifier + "phone.go",
		"digits = \"+\" + digits[2:]", "digits = \"00\" + digits[2:]", "TestCase05"},
	{"who asks again is found by what an earlier erasure knew", "services/intake/earlier.go",
		"for _, k := range other.Kept(b.AcceptedAt) {", "for _, k := range other.Kept(s.AcceptedAt)[:0] {", "TestCase06"},
	{"a telephone alone makes nobody the same person", core + "same.go",
		"case !own:\n", "case false:\n", "TestHouseholdsHaveOwnRequests"},
	{"who knows another account isn't taken for the same person", core + "same.go",
		"case contradicts(a, b, household):\n", "case false:\n", "TestHouseholdsHaveOwnRequests"},
	{"what had to stay and may go by now isn't said to stay", core + "kept.go",
		"return !othersMayTake(r) && (due.IsZero() || at.Before(due))", "return true || due.IsZero() || at.Before(due)", "TestMeanwhile"},
	{"where an erasure isn't over nothing is said not to be there", core + "kept.go",
		"return left(planned)\n", "return 0\n", "TestMeanwhile"},
	{"what an erasure has left is looked at again before the answer", core + "kept.go",
		"return s.KeptFact < heard &&", "return false && s.KeptFact < heard &&", "TestErasureComesAfter"},
	{"who is being answered hears of an erasure that comes after", "services/internal/keeper/lookback.go",
		"if other.Status.Ended() {", "if true || other.Status.Ended() {", "TestErasureComesAfter"},
	{"what had to stay of whom had a number before isn't shown to whoever has it", "pkg/sqlsystem/rows.go",
		"	if former != nil {\n		visit", "	if false {\n		visit", "TestFormers"},
	{"a number that an erasure has taken makes nobody the same person", core + "same.go",
		"c.Sameness == SamePerson && anew", "c.Sameness == SamePerson && anew && false", "TestFormers"},
	{"what was kept twice is told once", core + "kept.go",
		"case i < 0:\n			out = append(out, k)", "case i < 0 || true:\n			out = append(out, k)", "TestCase06"},

	// What is erased.
	{"an erasure goes by the plan's keys", sqlsystem + "examine.go",
		"if len(keys) == 0 || h.d.unstable {", "if len(keys) >= 0 || h.d.unstable {", "TestCase08"},
	{"an erasure asks anew", sqlsystem + "examine.go",
		"r.shares = append(r.shares, share{job: o.job, found: true})", "_ = r", "TestTruth$"},
	{"a planned row that is somebody else's by now is left", sqlsystem + "owners.go",
		"s.others, s.several = e.somebodyElses(", "_, s.several = e.somebodyElses(", "TestTruth$"},
	{"what was gone is never counted as erased", sqlsystem + "erase.go",
		"if share.planned {\n					counts[share.job].Gone++", "if share.planned {\n					counts[share.job].Erased++", "TestCase08"},
	{"what would go beyond the plan is refused before", sqlsystem + "reach.go",
		"case outside > 0 && !w.allowed:", "case outside > 0 && !w.allowed && all < 0:", "TestCase07UndeclaredTables"},
	{"what went beyond the plan is undone", sqlsystem + "erase.go",
		"return e.settle(ctx, before, lets)", "_ = before\n	return nil", "TestCase07"},
	{"what is deferred is looked at before the commit", sqlsystem + "postgres_transact.go",
		"\"SET CONSTRAINTS ALL IMMEDIATE\"", "\"SELECT 1\"", "TestCase07TriggersAndRules"},
	{"a kept record that goes with another keeps the worker from starting", sqlsystem + "lead.go",
		"w.end.duties() {\n				return c.wrong", "w.end.duties() && j < 0 {\n				return c.wrong", "TestCase07AKeptRecord"},
	{"what must stay, stays", sqlsystem + "find.go",
		"if !end.After(day) {", "if !end.After(day.AddDate(5, 0, 0)) {", "TestTruth$"},
	{"a row that the database left without a word is a refusal", sqlsystem + "erase.go",
		"if left, err := e.left(ctx, h.d, how, keys); err != nil || left > 0 {", "if left, err := e.left(ctx, h.d, how, keys); err != nil || left > 1_000 {", "TestCase11"},
	{"whose row is refused fails, and the others don't", sqlsystem + "transact.go",
		"if len(jobs) < 2 || !refused(err) {", "if len(jobs) >= 0 || !refused(err) {", "TestCase11"},
	{"a trigger's refusal is final", sqlsystem + "postgres_errors.go",
		"strings.HasPrefix(code, \"P0\"), ", "", "TestCase11"},
	{"a constant into a unique column is found at start", sqlsystem + "fits.go",
		"if column == \"\" || safe || c.apart(d.dataset, x, left) {", "if column != \"\" || safe || c.apart(d.dataset, x, left) {", "TestCase10"},
	{"each way of finding a row is a way of its own", sqlsystem + "rows.go",
		"for i, l := range lookups {", "for i, l := range lookups[:1] {", "TestCase12"},
	{"an erasure accounts for its plan", core + "plan.go",
		"if r.Action != dsar.Erase || d.plan(d.system(r.System)) == nil {\n		return \"\"", "if r.Action != \"\" || d.plan(d.system(r.System)) == nil {\n		return \"\"", "TestPlanIsAccountedFor"},
	{"a proof finds what had to stay", core + "plan.go",
		"if p.Found < stays {", "if p.Found < -stays {", "TestProofFindsWhatStays"},
	{"a held system is not erased", core + "hold.go",
		"return (h.System == \"\" || h.System == sys.Name) && (h.Dataset == \"\" || !sys.Holds)", "return h.System == \"-\" && (h.Dataset == \"\" || !sys.Holds)", "TestTruth$"},
	{"a held dataset is not erased", core + "hold.go",
		"if (h.System == \"\" || h.System == sys.Name) && h.Dataset != \"\" &&", "if h.System == \"-\" && h.Dataset != \"\" &&", "TestTruth$"},
	{"a held system's flags are set", core + "decide.go",
		"action == dsar.Erase && d.held(sys) && !sys.Holds {", "action == dsar.Erase && d.held(sys) {", "TestCase13"},
	{"what a vendor keeps for a hold is not used", core + "hold.go",
		"case restrict == nil, restrict.Status", "case restrict != nil && restrict.Status", "TestVendorsHold"},
	{"what has no keys is no machine's to erase", core + "plan.go",
		"return t != nil && !s.AnsweredAt.IsZero() && s.Again == nil &&", "return false && t != nil && !s.AnsweredAt.IsZero() && s.Again == nil &&", "TestByHandWithoutKeys"},
	{"what is held stays, whoever's erasure comes by", "pkg/worker/held.go",
		"if o.holds(p, of) {", "if len(p.Plans) < 0 && o.holds(p, of) {", "TestHold|TestTruth$"},
	{"a hold keeps nothing that leads to another of the household by what they alone have", "pkg/worker/held.go",
		"theirs := !p.Shared || ", "theirs := true || ", "TestHoldOnOneOfAHousehold"},
	{"what leads to two people by what both have is held", "pkg/worker/held.go",
		"(theirs || !slices.Contains(of, finding{o.request, p.RequestID}))", "theirs", "TestHoldOnOneOfAHousehold"},
	{"whom a hold isn't on isn't told of it", core + "told.go",
		"r.Ground == dsar.LegalHold && (!held ||", "r.Ground == dsar.LegalHold && (!held && system == \"\" ||", "TestHoldKeepsFromAnothersErasure"},
	{"what a correction replaced is looked for", "services/internal/keeper/replaced.go",
		"if !other.Corrected() || s.Stage != \"\" {", "if other.Corrected() || s.Stage != \"\" {", "TestAnAddressThatWasCorrected"},
	{"who has only a replaced address takes over nothing", "services/internal/keeper/replaced.go",
		"return slices.ContainsFunc(replaced, func(r dsar.Identifier) bool { return r.Fingerprint == id.Fingerprint })", "return false", "TestAnAddressThatWasCorrected"},
	{"a replaced address that leads to another account leads nowhere", core + "identity.go",
		"if s.ledAway(id) {", "if id.Type == \"-\" && s.ledAway(id) {", "TestAnAddressThatWasCorrected"},
	{"what is left of an earlier plan is planned", "pkg/worker/held.go",
		"return k.planEarlier(ctx, jobs)", "return nil", "TestBegunAnew|TestKeptGoes"},
	{"an answered erasure goes by keys alone", core + "plan.go",
		"!s.AnsweredAt.IsZero() && len(s.earlierPlans(sys)) > 0", "!s.AnsweredAt.IsZero() && len(s.earlierPlans(sys)) > 1_000", "TestKeptGoesByItsKeyAlone"},
	{"what stayed for others goes by its key when the person asks again", core + "hold.go",
		"r.Ground == dsar.GroundShared && r.Records > 0", "r.Ground == dsar.GroundShared && r.Records > 1_000", "TestAskedAgainGoes"},
	{"a row that loses its reference is no row that went", statement + "ask.go",
		"t.Records > 0 && t.Changed == changed", "t.Records > 0 && !changed", "TestCase07UnlinksAKeptRow"},

	// What is an answer.
	{"every question of a call is accounted for", vendorapi + "expect.go",
		"if len(left.Keys) > 0 {", "if len(left.Keys) > 1_000_000 {", "TestCase1[45]"},
	{"no record of a list comes twice", vendorapi + "list.go",
		"if here || there {", "if here && there {", "TestCase14Salesforce"},
	{"a page ends by the vendor's own sign", vendorapi + "list.go",
		"case p.Next == \"\" && !p.Last:", "case p.Next == \"\" && !p.Last && l == nil:", "TestCase14Salesforce"},
	{"a list has as many records as the vendor says", vendorapi + "list.go",
		"if p.Last && p.Total >= 0 && p.Total != int64(len(p.Rows)) {", "if p.Last && p.Total >= 1_000_000 && p.Total != int64(len(p.Rows)) {", "TestCase14Salesforce"},
	{"a 5xx is never final", vendorapi + "codes.go",
		"if r.Status >= http.StatusInternalServerError && errors.As(err, &e) && e.Permanent() {", "if r.Status < 0 && errors.As(err, &e) && e.Permanent() {", "TestCase16"},
	{"what isn't in the vendor's form isn't the vendor", vendorapi + "codes.go",
		"return notTheVendor(vendor, r.Detail)", "return worker.Permanent(\"not-the-vendor\", \"no\", r.Detail)", "TestCase1[46]"},
	{"a code that isn't known is unsure", vendorapi + "codes.go",
		"return &failure{verdict: unsure, code: CodeUnknown,", "if len(reason) > 0 {\n		return worker.Permanent(CodeUnknown, reason, r.Detail)\n	}\n	return &failure{verdict: unsure, code: CodeUnknown,", "TestCase1[456]"},
	{"poolers work", sqlsystem + "postgres.go",
		"config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe", "_ = config", "TestCase17"},

	// What is said.
	{"nothing else is done with what stays, where it is flagged", statement + "make.go",
		"if kept <= d.counts(dsar.Erase).Restricted {", "if kept >= 0 {", "TestCase13|TestTruth$"},
	{"a vendor's flags are set for a hold, and only then are they said to be", statement + "make.go",
		"end != nil && end.Outcome == dsar.Restricted && (own", "(end == nil || end.Outcome == dsar.Restricted) && (own", "TestVendorsHold"},
	{"nothing is left, where nothing had to stay", statement + "conditions.go",
		"e.right == dsar.Erasure && !e.has(Reassigned, OfFormer, Mentions) && e.every(AllErased,", "e.right == dsar.Erasure && e.every(PartlyKept, AllKept, AllErased,", "TestTruth$"},
	{"nothing is held, where every system holds nothing", statement + "conditions.go",
		"return when(!e.changes() && e.every(HoldsNothing, UnknownThere), Values{}, e.facts()...)", "return when(!e.changes() && e.every(HoldsNothing, UnknownThere, OnlyKeptEarlier), Values{}, e.facts()...)", "TestStuckBehind"},
	{"a dataset is empty, where nothing is in it", statement + "conditions.go",
		"len(d.keptEarlier) == 0 && !d.something() && d.mentions == 0", "len(d.keptEarlier) == 0 && d.mentions == 0", "TestTruth$"},
	{"all was erased, where nothing had to stay", statement + "conditions.go",
		"return when(s.asked() && s.any(Kept, KeptEarlier) && s.touched(), Values{}, s.facts()...)", "return when(s.asked() && s.any(KeptEarlier) && s.touched(), Values{}, s.facts()...)", "TestTruth$"},
	{"what may be in a copy isn't said to be missing there", statement + "conditions.go",
		"len(d.keptEarlier) > 0 && !d.something(), Values{Records", "len(d.keptEarlier) > 0, Values{Records", "TestCase06"},
	{"the answer names what it went without", core + "identity.go",
		"if !slices.ContainsFunc(used, same) && !slices.Contains(out, id.Type) {", "if !slices.ContainsFunc(used, same) && !slices.Contains(out, id.Type) && id.Type == \"\" {", "TestCase03"},
}
