package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/services/internal/core"
)

// The files of the payload beside the datasets.
const (
	pageFile        = "index.html"
	packageFile     = "datapackage.json"
	answerFile      = "answer.json"
	certificateFile = "certificate.json"
)

// answer is what the page says, for machines: answer.json, or certificate.json
// for an erasure. It holds no time of the run, but for when an erasure was
// proven.
type answer struct {
	Format       string            `json:"format"` // "habeas-answer/1"
	RequestID    string            `json:"request_id"`
	Right        dsar.Right        `json:"right"`
	Jurisdiction string            `json:"jurisdiction,omitempty"`
	Language     string            `json:"language"`
	ReceivedAt   time.Time         `json:"received_at,omitzero"`
	Law          string            `json:"law,omitempty"`
	Entity       string            `json:"responsible_entity,omitempty"`
	Complaint    []answerAuthority `json:"complaint_to,omitempty"`
	// Lifted says that the right was undone, not exercised.
	Lifted   bool     `json:"lifted,omitempty"`
	Purposes []string `json:"purposes,omitempty"`
	// Unproven is what was to be proven and was not: what is told is told of nobody.
	Unproven []dsar.Check `json:"unproven,omitempty"`
	// Without are the types of identifiers that the person gave and was not looked for by.
	Without []dsar.IdentifierType `json:"without,omitempty"`
	// Locked says that what had to stay is used for nothing else.
	Locked      bool               `json:"locked,omitempty"`
	Records     int64              `json:"records"`
	Identifiers []answerIdentifier `json:"identifiers"`
	Systems     []answerSystem     `json:"systems"`
}

type answerAuthority struct {
	Name    string `json:"name"`
	Address string `json:"address,omitempty"`
	URL     string `json:"url,omitempty"`
}

type answerIdentifier struct {
	Type      dsar.IdentifierType `json:"type"`
	Value     string              `json:"value"`
	Verified  bool                `json:"verified"`
	FoundBy   string              `json:"found_by,omitempty"`
	FromType  dsar.IdentifierType `json:"from_type,omitempty"`
	FromValue string              `json:"from_value,omitempty"`
}

type answerSystem struct {
	System  string                `json:"system"`
	Title   string                `json:"title"`
	Outcome dsar.Outcome          `json:"outcome,omitempty"`
	Needs   []dsar.IdentifierType `json:"needs,omitempty"` // with not-applicable
	// AskedInstead are the systems that find those identifiers, where each of
	// them was asked and knows none of the person's: so nothing can be held.
	AskedInstead []string  `json:"asked_instead,omitempty"`
	Code         string    `json:"code,omitempty"`
	ProvenAt     time.Time `json:"proven_at,omitzero"`
	// Limits says what the person can no longer use.
	Limits   string          `json:"limits,omitempty"`
	Records  int64           `json:"records"` // in this bundle
	Datasets []answerDataset `json:"datasets"`

	part *systemPart
}

type answerDataset struct {
	Dataset    string          `json:"dataset"`
	Title      string          `json:"title"`
	Category   string          `json:"category"`
	Origin     manifest.Origin `json:"origin"`
	Purpose    string          `json:"purpose"`
	LegalBasis string          `json:"legal_basis"`
	Recipients []string        `json:"recipients"`
	Storage    string          `json:"storage"`
	Records    int64           `json:"records"` // in this bundle
	Files      []string        `json:"files,omitempty"`
	// LeftOut says why records that are held are not in this bundle.
	LeftOut        coverageCode `json:"left_out,omitempty"`
	LeftOutRecords int64        `json:"left_out_records,omitempty"`
	NotShown       []notShown   `json:"not_shown,omitempty"`
	// Uncovered tells that the dataset could not be reached, or not all of it.
	Uncovered bool `json:"uncovered,omitempty"`
	// Redacted are the columns of which something is about other people.
	Redacted []string `json:"redacted,omitempty"`

	Found      int64 `json:"found,omitempty"`
	Erased     int64 `json:"erased,omitempty"`
	Anonymised int64 `json:"anonymised,omitempty"`
	// Gone are records that were planned and not there any more when they were to be
	// erased.
	Gone       int64 `json:"gone,omitempty"`
	Rectified  int64 `json:"rectified,omitempty"`
	Restricted int64 `json:"restricted,omitempty"`
	// Changed are the columns that were corrected; Unchanged those that hold what
	// a correction was about, and stay as they were recorded.
	Changed   []string `json:"changed,omitempty"`
	Unchanged []string `json:"unchanged,omitempty"`
	// GoesWith is the dataset with which these records are found and erased,
	// uncounted, where some of that were found.
	GoesWith string     `json:"goes_with,omitempty"`
	Retained []retained `json:"retained,omitempty"`
	// KeptEarlier is what an earlier erasure had to keep, where this request found nothing.
	KeptEarlier []retained `json:"kept_earlier,omitempty"`

	table *table // nil where it has no files
	shape *shape // of the table
}

// notShown is a column whose values are held and must not be shown.
type notShown struct {
	Column string `json:"column"`
	Kind   string `json:"kind"`
	title  string
}

// retained counts records that must stay, and says why.
type retained struct {
	Records int64     `json:"records"`
	Ground  string    `json:"ground"`
	Title   string    `json:"title,omitempty"`
	Source  string    `json:"source,omitempty"` // the law's article
	Until   time.Time `json:"until,omitzero"`
}

// held reports whether anything at all is to be said of the dataset.
func (d *answerDataset) held() bool {
	return len(d.Unchanged) > 0 || d.Records > 0 || d.LeftOutRecords > 0 || d.Found > 0 || d.touched() > 0 || len(d.Retained) > 0 || d.GoesWith != ""
}

func (d *answerDataset) touched() int64 {
	return d.Erased + d.Anonymised + d.Gone + d.Rectified + d.Restricted
}

func (d *answerDataset) kept() (n int64) {
	for _, r := range d.Retained {
		n += r.Records
	}
	return n
}

// answer collects what is told from what was read and what was reported.
func (b *build) answer() (*answer, error) {
	in := b.in
	a := &answer{
		Format: "habeas-answer/1", RequestID: in.RequestID, Right: in.Right, Jurisdiction: in.Jurisdiction, Language: b.words.Tag,
		ReceivedAt: in.ReceivedAt.UTC(), Law: in.Policy.Law, Entity: in.Policy.Entity,
		Lifted: in.Lift, Purposes: in.Purposes, Unproven: in.Unproven,
		Identifiers: make([]answerIdentifier, 0, len(in.Identifiers)), Systems: make([]answerSystem, 0, len(b.systems)),
	}
	if len(in.Unproven) == 0 { // else nobody was looked for
		a.Without = in.Without
	}
	if in.ReceivedAt.IsZero() {
		a.ReceivedAt = time.Time{}
	}
	for _, c := range in.Policy.Complaint {
		a.Complaint = append(a.Complaint, answerAuthority(c))
	}
	for _, id := range in.Identifiers {
		a.Identifiers = append(a.Identifiers, answerIdentifier(id))
	}
	for _, part := range b.systems {
		s, err := b.answerSystem(part)
		if err != nil {
			return nil, err
		}
		a.Records += s.Records
		a.Locked = a.Locked || s.keeps()
		a.Systems = append(a.Systems, s)
	}
	a.Locked = a.Locked && in.Locked
	return a, nil
}

func (b *build) answerSystem(part *systemPart) (answerSystem, error) {
	m := part.Manifest
	s := answerSystem{System: part.name, Title: titleOr(m.Title.In(b.words.Tag), part.name), part: part}
	for i := range m.Datasets {
		d, err := b.answerDataset(part, &m.Datasets[i])
		if err != nil {
			return s, err
		}
		s.Records += d.Records
		s.Datasets = append(s.Datasets, d)
	}
	s.goWith(m)
	s.Outcome, s.Code = b.outcome(part, s.Datasets)
	if s.Outcome == dsar.NotApplicable {
		if s.Needs = part.Needs; len(s.Needs) == 0 {
			s.Needs = m.Needs
		}
		s.AskedInstead = b.askedInstead(part, s.Needs)
	}
	s.keepEarlier()
	if b.limits(&s) {
		s.Limits = m.Limits.In(b.words.Tag)
	}
	if end := part.end(dsar.Prove); end != nil && end.Outcome == dsar.Proven {
		s.ProvenAt = end.At.UTC().Truncate(time.Second)
	}
	return s, nil
}

// keepEarlier has a system that keeps something of an earlier erasure say so: neither
// that it holds nothing nor that all of it is gone (TestKeptEarlierIsNeverNothing).
func (s *answerSystem) keepEarlier() {
	if !s.keepsEarlier() {
		return
	}
	switch {
	case s.Outcome == dsar.NotApplicable && len(s.AskedInstead) > 0:
		s.Outcome, s.Needs, s.AskedInstead = dsar.Retained, nil, nil
	case s.Outcome == dsar.NothingFound, s.Outcome == dsar.Erased, s.Outcome == dsar.Anonymised, s.Outcome == outcomeGone:
		s.Outcome = dsar.Retained
	}
}

func (a *answer) keepsEarlier() bool {
	return slices.ContainsFunc(a.Systems, func(s answerSystem) bool { return s.keepsEarlier() })
}

func (s *answerSystem) keepsEarlier() bool {
	return slices.ContainsFunc(s.Datasets, func(d answerDataset) bool { return len(d.KeptEarlier) > 0 })
}

// keeps reports whether this request had to leave something in the system.
func (s *answerSystem) keeps() bool {
	return slices.ContainsFunc(s.Datasets, func(d answerDataset) bool { return len(d.Retained) > 0 })
}

// limits reports whether something of a system can't be used any more.
func (b *build) limits(s *answerSystem) bool {
	switch s.Outcome {
	case dsar.Restricted:
		return !b.in.Lift
	case dsar.Erased, dsar.Anonymised, outcomeGone, dsar.Retained, dsar.Incomplete:
		return s.gone() > 0
	default:
		return false
	}
}

// titles returns the titles of systems.
func (a *answer) titles(names []string) []string {
	var titles []string
	for i := range a.Systems {
		if slices.Contains(names, a.Systems[i].System) {
			titles = append(titles, a.Systems[i].Title)
		}
	}
	return titles
}

// askedInstead names the other systems that find one of the identifiers that a
// system needs; none where one of them can't tell whether the person has one.
func (b *build) askedInstead(part *systemPart, needs []dsar.IdentifierType) []string {
	return b.askedFor(needs, []*systemPart{part})
}

// askedFor leaves out the systems through which it came here.
func (b *build) askedFor(needs []dsar.IdentifierType, through []*systemPart) []string {
	var asked []string
	for _, other := range b.systems {
		if slices.Contains(through, other) || !slices.ContainsFunc(other.Manifest.Finds, func(t dsar.IdentifierType) bool { return slices.Contains(needs, t) }) {
			continue
		}
		found := []string{other.name}
		switch end := other.end(dsar.Resolve); {
		case end != nil && end.Outcome == dsar.NothingFound:
		case end == nil || end.Outcome == dsar.NotApplicable: // it knows people by what others find
			if found = b.askedFor(other.Manifest.Needs, append(slices.Clone(through), other)); found == nil {
				return nil
			}
		default:
			return nil
		}
		for _, name := range found {
			if !slices.Contains(asked, name) {
				asked = append(asked, name)
			}
		}
	}
	return asked
}

// goWith marks the datasets whose records were found and erased uncounted.
func (s *answerSystem) goWith(m *manifest.Manifest) {
	for i := range s.Datasets {
		with := m.Datasets[i].GoesWith
		if with == "" || s.Datasets[i].held() {
			continue
		}
		for j := range s.Datasets {
			if d := &s.Datasets[j]; d.Dataset == with && d.Found > 0 {
				s.Datasets[i].GoesWith = with
			}
		}
	}
}

func (b *build) answerDataset(part *systemPart, ds *manifest.Dataset) (answerDataset, error) {
	lang := b.words.Tag
	d := answerDataset{
		Dataset: ds.Name, Title: titleOr(ds.Title.In(lang), ds.Name), Category: ds.Category, Origin: ds.Origin, Purpose: ds.Purpose.In(lang),
		LegalBasis: ds.LegalBasis, Recipients: ds.Recipients, Storage: ds.Storage.In(lang),
	}
	if d.Recipients == nil {
		d.Recipients = []string{}
	}
	d.LeftOutRecords = part.leftOut[ds.Name]
	if found := part.counts(dsar.Gather, ds.Name).Found; coverage(b.in.Right, ds) != covered {
		d.LeftOutRecords = max(d.LeftOutRecords, found) // a worker may have left them out already
	}
	if d.LeftOutRecords > 0 {
		d.LeftOut = coverage(b.in.Right, ds)
	}
	for _, t := range part.tables {
		if t.dataset != ds || t.records == 0 {
			continue
		}
		shape, err := t.shape(t.columns)
		if err != nil {
			return d, err
		}
		d.table, d.Records, d.shape = t, t.records, shape
		d.Files = []string{t.csvName(), t.jsonName()}
		for _, c := range t.columns {
			if c.held {
				d.NotShown = append(d.NotShown, notShown{Column: c.name, Kind: c.kind, title: c.title})
			}
			if c.others {
				d.Redacted = append(d.Redacted, c.name)
			}
		}
	}
	b.counts(&d, part, ds)
	for _, k := range b.in.Kept {
		if k.System != part.name || k.Dataset != ds.Name {
			continue
		}
		for _, r := range k.Retained {
			d.KeptEarlier = append(d.KeptEarlier, b.retained(ds, r))
		}
	}
	return d, nil
}

// counts takes over what the system reported of a dataset.
func (b *build) counts(d *answerDataset, part *systemPart, ds *manifest.Dataset) {
	d.Uncovered = part.uncovered(b.in.Right, ds.Name)
	switch b.in.Right {
	case dsar.Erasure:
		b.erasureCounts(d, part, ds)
	case dsar.KnowCategories:
		d.Found = part.counts(dsar.Plan, ds.Name).Found
	case dsar.Rectification:
		sum := part.counts(dsar.Rectify, ds.Name)
		d.Rectified, d.Changed, d.Unchanged = sum.Rectified, sum.Changed, sum.Unchanged
	case dsar.Restriction, dsar.Objection, dsar.ConsentWithdrawal, dsar.OptOut:
		d.Restricted = part.counts(dsar.Restrict, ds.Name).Restricted
	}
}

// erasureCounts says what became of the plan, by what the erasure reported of it.
// What was planned and not there any more when its turn came is gone, and is never
// told as erased, though an erasure that was broken off may have been who erased it.
// Nor is what no erasure reports and a proof no longer finds: it is gone as well.
func (b *build) erasureCounts(d *answerDataset, part *systemPart, ds *manifest.Dataset) {
	plan, done, proof := part.counts(dsar.Plan, ds.Name), part.counts(dsar.Erase, ds.Name), part.counts(dsar.Prove, ds.Name)
	keep, proven := done.Retained, false
	if end := part.end(dsar.Prove); end != nil && (end.Outcome == dsar.Proven || end.Outcome == dsar.Incomplete && !d.Uncovered && proof.Found == proof.Kept()) {
		keep, proven = proof.Retained, true
	}
	for _, r := range keep {
		if r.Records > 0 {
			d.Retained = append(d.Retained, b.retained(ds, r))
		}
	}
	d.Erased, d.Anonymised, d.Gone = done.Erased, done.Anonymised, done.Gone
	told := d.Erased + d.Anonymised + d.Gone + d.kept()
	d.Found = max(plan.Found+done.Late, told)
	if proven {
		d.Gone += d.Found - told
	}
}

// retained adds what the manifest says of a ground.
func (b *build) retained(ds *manifest.Dataset, r dsar.Retention) retained {
	out := retained{Records: r.Records, Ground: r.Ground, Until: r.Until}
	for i := range ds.Retention {
		if rule := &ds.Retention[i]; rule.Ground == r.Ground {
			out.Title, out.Source = rule.Title.In(b.words.Tag), rule.Source
		}
	}
	if out.Title == "" && r.Ground == dsar.LegalHold {
		out.Title = b.words.LegalHold
	}
	return out
}

// end returns the last end of an action, or nil.
func (p *systemPart) end(a dsar.Action) *core.ActionEnd {
	for i := len(p.Ends) - 1; i >= 0; i-- {
		if p.Ends[i].Action == a {
			return &p.Ends[i]
		}
	}
	return nil
}

// counts returns those of one dataset in the last end of an action.
func (p *systemPart) counts(a dsar.Action, dataset string) (sum dsar.Counts) {
	end := p.end(a)
	if end == nil {
		return sum
	}
	for _, c := range end.Counts {
		if c.Dataset == dataset {
			sum.Found += c.Found
			sum.Erased += c.Erased
			sum.Anonymised += c.Anonymised
			sum.Gone += c.Gone
			sum.Late += c.Late
			sum.Rectified += c.Rectified
			sum.Restricted += c.Restricted
			sum.Changed = append(sum.Changed, c.Changed...)
			sum.Unchanged = append(sum.Unchanged, c.Unchanged...)
			sum.Retained = append(sum.Retained, c.Retained...)
		}
	}
	return sum
}

// uncovered reports whether a dataset was not reached, or not wholly, by the last
// thing that was done in a system.
func (p *systemPart) uncovered(r dsar.Right, dataset string) bool {
	for _, action := range slices.Backward(r.Stages()) {
		if end := p.end(action); end != nil {
			return slices.ContainsFunc(end.Counts, func(c dsar.Counts) bool { return c.Dataset == dataset && c.Uncovered != "" })
		}
	}
	return false
}

// mainAction returns the action whose end is a system's answer to a right.
func mainAction(r dsar.Right) dsar.Action {
	stages := r.Stages()
	switch {
	case r == dsar.Erasure:
		return dsar.Erase
	case len(stages) >= 2:
		return stages[len(stages)-2]
	default:
		return dsar.Gather
	}
}

// outcomeGone is the answer of a system of which all that was planned was gone before
// it could be erased.
const outcomeGone dsar.Outcome = "gone"

// outcome returns how a system answered. Where records were read or counted, they
// decide: a task that was done twice may call its second time otherwise.
func (b *build) outcome(part *systemPart, datasets []answerDataset) (dsar.Outcome, string) {
	end := part.end(mainAction(b.in.Right))
	if end == nil {
		if len(part.Ends) == 0 {
			return dsar.Failed, "not-asked"
		}
		end = &part.Ends[len(part.Ends)-1]
	}
	var records, found, erased, gone, anonymised, kept int64
	for i := range datasets {
		d := &datasets[i]
		if d.Uncovered {
			return dsar.Incomplete, dsar.CodeNotCovered
		}
		records += d.Records + d.LeftOutRecords
		found += d.Found
		erased += d.Erased + d.Anonymised
		gone += d.Gone
		anonymised += d.Anonymised
		kept += d.kept()
	}
	switch end.Outcome {
	case dsar.Failed, dsar.Manual, dsar.NotApplicable:
		return end.Outcome, end.Code
	case dsar.Gathered, dsar.NothingFound, dsar.Found, dsar.Erased, dsar.Anonymised, dsar.Retained, dsar.Incomplete:
	default:
		return end.Outcome, ""
	}
	switch b.in.Right {
	case dsar.Access, dsar.Portability:
		if records > 0 {
			return dsar.Gathered, ""
		}
		return dsar.NothingFound, ""
	case dsar.KnowCategories:
		if found > 0 {
			return dsar.Found, ""
		}
		return dsar.NothingFound, ""
	case dsar.Erasure:
		switch {
		case kept > 0:
			return dsar.Retained, ""
		case anonymised > 0:
			return dsar.Anonymised, ""
		case erased > 0:
			return dsar.Erased, ""
		case gone > 0:
			return outcomeGone, ""
		default:
			return dsar.NothingFound, ""
		}
	}
	return end.Outcome, ""
}

func titleOr(title, name string) string {
	if title != "" {
		return title
	}
	return name
}

// marshal returns v as JSON with <, > and & as they are, since it goes to a file
// and no script.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// encode adds the answer to dst, with a line for each system and dataset, since
// people look into it.
func (a *answer) encode(dst []byte) ([]byte, error) {
	text, err := marshal(a)
	if err != nil {
		return nil, err
	}
	// A quotation mark within a text has a backslash before it: these are keys.
	for _, key := range []string{`{"system":`, `{"dataset":`} {
		text = bytes.ReplaceAll(text, []byte(key), []byte("\n"+key))
	}
	return append(append(dst, text...), '\n'), nil
}

// categoriesHeld groups the datasets of which something is held by category, in the
// order of the systems; all datasets where nothing may be told of the person.
func (a *answer) categoriesHeld() (order []string, groups map[string][]*answerDataset) {
	groups = map[string][]*answerDataset{}
	for i := range a.Systems {
		for j := range a.Systems[i].Datasets {
			d := &a.Systems[i].Datasets[j]
			if !d.held() && len(d.KeptEarlier) == 0 && len(a.Unproven) == 0 {
				continue
			}
			if !slices.Contains(order, d.Category) {
				order = append(order, d.Category)
			}
			groups[d.Category] = append(groups[d.Category], d)
		}
	}
	return order, groups
}

// gone returns how many records are no longer held, found how many there were.
func (s *answerSystem) gone() (n int64) {
	for i := range s.Datasets {
		n += s.Datasets[i].Erased + s.Datasets[i].Anonymised + s.Datasets[i].Gone
	}
	return n
}

func (s *answerSystem) found() (n int64) {
	for i := range s.Datasets {
		n += s.Datasets[i].Found
	}
	return n
}
