package marketo

import (
	"errors"
	"slices"

	"habeas.dev/pkg/manifest"
)

// settings are what the manifest says of a dataset under worker:.
type settings struct {
	// Of is what the dataset holds: leads, activities, custom-object,
	// list-membership, program-membership or campaign-membership. Where it is left
	// out, the dataset's name says it.
	Of string `yaml:"of"`
	// Object is a custom object's API name; Link is its field that refers to a
	// lead, and Lead the lead's field that it refers to: email or id.
	Object string `yaml:"object"`
	Link   string `yaml:"link"`
	Lead   string `yaml:"lead"`
	// Programs are the ids of the programs of which a program-membership is asked
	// for, many leads at once. Where none is named, each lead is asked for all of
	// its programs, in a call of its own.
	Programs []int64 `yaml:"programs"`
	// Rectify are the columns of leads that a person may have corrected.
	Rectify []string `yaml:"rectify"`
	// Restrict are the flags of leads that stop their being written to or called.
	Restrict []flag `yaml:"restrict"`
	// Marker is the text field of leads in which a restriction leaves word of the
	// flags that it set, so that lifting it clears those and no others.
	Marker string `yaml:"marker"`
}

// flag is a boolean field of leads that stops processing while it is true.
type flag struct {
	Field string `yaml:"field"`
	// Stops names the purposes that end with it; none: all use of the leads.
	Stops []string `yaml:"stops"`
	// Optional flags are set where the instance has them.
	Optional bool `yaml:"optional"`
}

// What datasets hold.
const (
	ofLeads      = "leads"
	ofActivities = "activities"
	ofObject     = "custom-object"
	ofPrograms   = "program-membership"
)

// memberships returns the calls that tell of a lead's memberships.
func memberships() map[string]string {
	return map[string]string{
		"list-membership":     "listMembership.json",
		ofPrograms:            "programMembership.json",
		"campaign-membership": "smartCampaignMembership.json",
	}
}

// dataset is what the worker asks for of one dataset of the manifest.
type dataset struct {
	settings
	name    string
	columns []string
	types   map[string]string // of columns; empty means string
	path    string            // of a membership, below leads/ID/
}

// datasetsOf reads the manifest: leads first, by which the others are found.
func datasetsOf(m *manifest.Manifest) (leads *dataset, others []*dataset, err error) {
	for i, d := range m.Datasets {
		ds := &dataset{name: d.Name, types: map[string]string{}}
		if err := m.WorkerSettings(i, &ds.settings); err != nil {
			return nil, nil, err
		}
		for _, f := range ds.Restrict {
			if err := m.WorkerStops(i, f.Stops); err != nil {
				return nil, nil, err
			}
		}
		if ds.Of == "" {
			ds.Of = d.Name
		}
		for _, c := range d.Columns {
			ds.columns = append(ds.columns, c.Name)
			ds.types[c.Name] = c.Type
		}
		ds.path = memberships()[ds.Of]
		if what, cure := ds.wrong(d); what != "" {
			return nil, nil, m.WorkerProblem(i, what, cure)
		}
		if ds.Of != ofLeads {
			others = append(others, ds)
			continue
		}
		if leads != nil {
			return nil, nil, m.WorkerProblem(i, "there are two datasets of leads", "leave one")
		}
		leads = ds
	}
	if leads == nil {
		return nil, nil, errors.New("marketo: the manifest lacks a dataset of leads, by which the others are found")
	}
	return leads, others, nil
}

// wrong tells what is wrong with a dataset's settings, and what to do.
func (ds *dataset) wrong(d manifest.Dataset) (what, cure string) {
	switch {
	case ds.Of == ofObject:
		if ds.Object == "" || ds.Link == "" || ds.Lead != "email" && ds.Lead != "id" {
			return "a custom object needs its API name, the field that refers to a lead, and to which field of the lead", "write object:, link: and lead: email or lead: id"
		}
		if !slices.Contains(ds.columns, ds.Link) {
			return "the field " + ds.Link + " that refers to a lead is not among the columns", "add it to columns"
		}
		if d.GoesWith != "" {
			return "records of a custom object don't go with their lead: Marketo keeps them", "leave goes_with out"
		}
	case ds.Of == ofLeads:
		for _, c := range ds.Rectify {
			if !slices.Contains(ds.columns, c) {
				return "rectify names " + c + ", which is no column", "add it to columns"
			}
		}
		if len(ds.Restrict) > 0 && ds.Marker == "" {
			return "restrict needs marker: the text field that remembers which flags it set", "write marker: unsubscribedReason"
		}
	case ds.Of == ofActivities || ds.path != "":
		if d.GoesWith == "" {
			return "what goes with a lead when it is deleted says so", "write goes_with: and the name of the dataset of leads"
		}
		if ds.Of != ofPrograms && len(ds.Programs) > 0 {
			return "programs: is of a program-membership", "leave it out"
		}
	default:
		return "of: " + ds.Of + " is none of leads, activities, custom-object, list-membership, program-membership, campaign-membership", "write one of these under worker: of:"
	}
	if ds.Of != ofLeads && len(ds.Rectify)+len(ds.Restrict) > 0 {
		return "rectify and restrict are of leads", "leave them out"
	}
	return "", ""
}
