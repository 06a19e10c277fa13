package salesforce

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// settings are what the manifest says of a dataset under worker: which of
// Salesforce's objects it is, how its records are found, and what an erasure, a
// correction and a restriction do to them. Custom objects are declared like any
// other: nothing of how objects relate is in the code.
type settings struct {
	// Object is Salesforce's name of it: Contact, Warranty__c.
	Object string `yaml:"object"`
	// By are the fields that hold an identifier of the person, by its type.
	By map[dsar.IdentifierType][]string `yaml:"by"`
	// Unless is a field that takes precedence over By: where it isn't empty, the
	// record belongs to whom it names. A case is its contact's, whatever address
	// was typed into its form.
	Unless string `yaml:"unless"`
	// Of are the fields that name a record of another dataset: {WhoId: [contacts,
	// leads]}. Where it isn't that record's Id which is named, its field is given:
	// {Id: [contacts.IndividualId]}.
	Of map[string][]string `yaml:"of"`
	// Optional tells that an org may lack the object: it is left out then, and a
	// note in the trace says so. Otherwise a lack fails the task.
	Optional bool `yaml:"optional"`
	// Content is the column with a file's bytes, which Salesforce gives by
	// another call; they are gathered in base64.
	Content string `yaml:"content"`
	// Size is the column with the number of its bytes.
	Size string `yaml:"size"`
	// Erase is delete, which is the default, or anonymise: Overwrite are the
	// fields and the values that they get then.
	Erase     string         `yaml:"erase"`
	Overwrite map[string]any `yaml:"overwrite"`
	// Delete is the field with the id of what is deleted in the record's place: a
	// version goes with its ContentDocumentId.
	Delete string `yaml:"delete"`
	// SharedThrough is the dataset of the links by which these records are found.
	// What others' records are linked to as well isn't deleted: the person's link
	// is.
	SharedThrough string `yaml:"shared_through"`
	// Takes are datasets whose record goes with this one, by the field that names
	// it: a person account takes its contact along, which can't be deleted alone.
	Takes map[string]string `yaml:"takes"`
	// Rectify are the columns that a person may have corrected.
	Rectify []string `yaml:"rectify"`
	// Restrict are the flags that stop processing.
	Restrict []manifest.SQLRestrict `yaml:"restrict"`
}

// object is one Salesforce object of a dataset.
type object struct {
	settings
	dataset  string
	goesWith string
	columns  []string
	types    map[string]string // of columns
	// of are the references by which records are found, in order of field.
	of []reference
	// links are the fields that a walk needs beside content; onlyFor are those of
	// them that are only asked for the sake of optional objects, which they name.
	// sourceFields are those by which others are found.
	links        []string
	sourceFields []string
	onlyFor      map[string][]int
	// stage is when it is found: after everything that it is found by. rank is
	// when it is deleted: after everything that refers to it.
	stage, rank int
}

// reference is a field and the fields whose values it can hold.
type reference struct {
	field string
	from  []source
}

// source is a field of an object.
type source struct {
	object int
	field  string
}

// target returns the field that names what is deleted.
func (o *object) target() string {
	if o.Delete != "" {
		return o.Delete
	}
	return "Id"
}

func (o *object) anonymises() bool { return o.Erase == manifest.EraseAnonymise }

// objectsOf reads the objects of a manifest. Its errors are [manifest.Error].
func objectsOf(m *manifest.Manifest) ([]object, error) {
	objects := make([]object, len(m.Datasets))
	number := map[string]int{}
	for i, d := range m.Datasets {
		o := &objects[i]
		o.dataset, o.goesWith, o.types, o.onlyFor = d.Name, d.GoesWith, map[string]string{}, map[string][]int{}
		if err := m.WorkerSettings(i, &o.settings); err != nil {
			return nil, err
		}
		for _, r := range o.Restrict {
			if err := m.WorkerStops(i, r.Stops); err != nil {
				return nil, err
			}
		}
		for _, c := range d.Columns {
			o.columns = append(o.columns, c.Name)
			o.types[c.Name] = c.Type
		}
		number[d.Name] = i
	}
	for i := range objects {
		if err := objects[i].check(m, i, number); err != nil {
			return nil, err
		}
	}
	if err := order(m, objects); err != nil {
		return nil, err
	}
	for i := range objects {
		objects[i].link(objects, i)
	}
	return objects, nil
}

// check checks an object's settings and resolves the names of datasets in them.
func (o *object) check(m *manifest.Manifest, i int, number map[string]int) error {
	bad := func(cure, format string, args ...any) error {
		return m.WorkerProblem(i, fmt.Sprintf(format, args...), cure)
	}
	if o.Object == "" {
		return bad("name Salesforce's object under worker: object:", "this worker must know its object")
	}
	if len(o.By)+len(o.Of) == 0 {
		return bad("add by: with a field for an identifier, or of: with a field that names a record of another dataset", "nothing says how records of %s are found", o.Object)
	}
	for _, name := range o.fieldNames() {
		if !isField(name) {
			return bad("write it as in Salesforce's Object Reference", "%q is no field of Salesforce", name)
		}
	}
	for t := range o.By {
		if !slices.Contains(m.Needs, t) {
			return bad("add it to needs:", "by: names the identifier type %s, which the worker isn't given", t)
		}
	}
	for _, field := range slices.Sorted(maps.Keys(o.Of)) {
		ref := reference{field: field}
		for _, name := range o.Of[field] {
			dataset, far, ok := strings.Cut(name, ".")
			if !ok {
				far = "Id"
			}
			n, known := number[dataset]
			if !known || n == i || !isField(far) {
				return bad("name another dataset, or dataset.Field", "of: names %q, which is none", name)
			}
			ref.from = append(ref.from, source{n, far})
		}
		o.of = append(o.of, ref)
	}
	for dataset := range o.Takes {
		if _, known := number[dataset]; !known {
			return bad("name a dataset of this manifest", "takes: names %q, which is none", dataset)
		}
	}
	if _, known := number[o.SharedThrough]; o.SharedThrough != "" && !known {
		return bad("name a dataset of this manifest", "shared_through: names %q, which is none", o.SharedThrough)
	}
	return o.checkActs(m, i, bad)
}

// checkActs checks what is done to records.
func (o *object) checkActs(m *manifest.Manifest, i int, bad func(cure, format string, args ...any) error) error {
	switch o.Erase {
	case "", manifest.EraseDelete:
		if len(o.Overwrite) > 0 {
			return bad("add erase: anonymise, or leave overwrite: out", "overwrite: without anonymise")
		}
	case manifest.EraseAnonymise:
		// The way back to the person must be lost.
		for _, fields := range o.By {
			for _, f := range fields {
				if _, ok := o.Overwrite[f]; !ok && f != "Id" {
					return bad("add it to overwrite:", "records are found by %s, which anonymising leaves as it is", f)
				}
			}
		}
		if len(o.Overwrite) == 0 {
			return bad("list the fields and the values that they get under overwrite:", "anonymise overwrites nothing")
		}
	default:
		return bad("write delete or anonymise", "erase: %q is neither", o.Erase)
	}
	for _, c := range append(slices.Clone(o.Rectify), o.Content, o.Size) {
		if c != "" && m.Datasets[i].Column(c) == nil {
			return bad("declare it under columns:", "%s is no column of the dataset", c)
		}
	}
	return nil
}

// fieldNames returns all fields that the settings name.
func (o *object) fieldNames() []string {
	names := slices.Concat([]string{o.Object}, slices.Collect(maps.Keys(o.Of)), slices.Collect(maps.Keys(o.Overwrite)),
		slices.Collect(maps.Values(o.Takes)), o.Rectify, o.columns)
	for _, fields := range o.By {
		names = append(names, fields...)
	}
	for _, r := range o.Restrict {
		names = append(names, r.Column)
	}
	for _, f := range []string{o.Unless, o.Delete, o.Content, o.Size} {
		if f != "" {
			names = append(names, f)
		}
	}
	return names
}

// isField reports whether a text has the form of a field's or an object's name, so
// that it can stand in a query as it is.
func isField(s string) bool {
	if s == "" || len(s) > 80 || s[0] >= '0' && s[0] <= '9' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c != '_' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// order gives each object its stage and its rank.
func order(m *manifest.Manifest, objects []object) error {
	before := make([][]int, len(objects)) // what is deleted before
	for i := range objects {
		for _, ref := range objects[i].of {
			for _, s := range ref.from {
				// A record goes before what it names. By its Id it is named itself.
				if ref.field == "Id" {
					before[i] = append(before[i], s.object)
				} else {
					before[s.object] = append(before[s.object], i)
				}
			}
		}
	}
	found := func(i int) (by []int) {
		for _, ref := range objects[i].of {
			for _, s := range ref.from {
				by = append(by, s.object)
			}
		}
		return by
	}
	for i := range objects {
		var ok1, ok2 bool
		objects[i].stage, ok1 = depth(i, found, len(objects))
		objects[i].rank, ok2 = depth(i, func(n int) []int { return before[n] }, len(objects))
		if !ok1 || !ok2 {
			return m.WorkerProblem(i, "of: goes round in a circle", "leave one of the references out")
		}
	}
	return nil
}

// depth returns how many steps something is from what depends on nothing; false on
// a circle.
func depth(i int, on func(int) []int, left int) (int, bool) {
	if left < 0 {
		return 0, false
	}
	deepest := 0
	for _, n := range on(i) {
		d, ok := depth(n, on, left-1)
		if !ok {
			return 0, false
		}
		deepest = max(deepest, d+1)
	}
	return deepest, true
}

// link gathers the fields that a walk needs.
func (o *object) link(objects []object, self int) {
	add := func(f string) {
		if f != "" && !slices.Contains(o.links, f) {
			o.links = append(o.links, f)
		}
	}
	add("Id")
	add("IsDeleted")
	add(o.Delete)
	add(o.Unless)
	for _, t := range slices.Sorted(maps.Keys(o.By)) {
		for _, f := range o.By[t] {
			add(f)
		}
	}
	for _, ref := range o.of {
		add(ref.field)
	}
	for _, f := range slices.Sorted(maps.Values(o.Takes)) {
		add(f)
	}
	own := slices.Clone(o.links)
	for i := range objects {
		for _, ref := range objects[i].of {
			for _, s := range ref.from {
				if s.object != self {
					continue
				}
				add(s.field)
				o.sourceFields = union(o.sourceFields, []string{s.field})
				if !slices.Contains(own, s.field) {
					o.onlyFor[s.field] = append(o.onlyFor[s.field], i)
				}
			}
		}
	}
	for f, dependents := range o.onlyFor {
		if slices.ContainsFunc(dependents, func(n int) bool { return !objects[n].Optional }) {
			delete(o.onlyFor, f)
		}
	}
}

// union returns the fields of both lists, each once.
func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, f := range b {
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

// ancestors marks everything by which marked objects are found.
func ancestors(objects []object, marked map[int]bool) map[int]bool {
	out := map[int]bool{}
	var up func(int)
	up = func(i int) {
		for _, ref := range objects[i].of {
			for _, s := range ref.from {
				if !out[s.object] {
					out[s.object] = true
					up(s.object)
				}
			}
		}
	}
	for i := range marked {
		up(i)
	}
	return out
}
