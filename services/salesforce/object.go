package salesforce

import (
	"fmt"

	"habeas.dev/pkg/manifest"
)

// object is one Salesforce object of a dataset: how its records are found, and
// when they are erased.
type object struct {
	dataset, name string
	// Its records are found by one of these; empty where it has none. Paths may
	// go over a relationship.
	contact, lead, email string
	// owner is set where email counts only for records without a contact: a
	// case belongs to its contact, whatever address was typed into its form.
	owner string
	// tier is the step in which it is erased: what hangs on others goes first.
	tier    int
	columns []string
	// asked are columns and links: what a gather selects. linked are the
	// positions of the links in it.
	asked []string
}

// The steps of an erasure.
const (
	tierChildren = iota
	tierCases
	tierPeople
	tiers
)

// objectsOf joins the datasets of a manifest with what is known of Salesforce's
// objects.
func objectsOf(m *manifest.Manifest) ([]object, error) {
	known := []object{
		{dataset: "contacts", name: "Contact", email: "Email", tier: tierPeople},
		{dataset: "leads", name: "Lead", email: "Email", tier: tierPeople},
		{dataset: "cases", name: "Case", contact: "ContactId", email: "SuppliedEmail", owner: "ContactId", tier: tierCases},
		{dataset: "case_comments", name: "CaseComment", contact: "Parent.ContactId", email: "Parent.SuppliedEmail", owner: "Parent.ContactId"},
		{dataset: "tasks", name: "Task", contact: "WhoId", lead: "WhoId"},
		{dataset: "events", name: "Event", contact: "WhoId", lead: "WhoId"},
		{dataset: "campaign_members", name: "CampaignMember", contact: "ContactId", lead: "LeadId"},
	}
	byName := map[string]*object{}
	for i := range known {
		byName[known[i].dataset] = &known[i]
	}
	for _, d := range m.Datasets {
		o := byName[d.Name]
		if o == nil {
			return nil, fmt.Errorf("salesforce: the manifest declares dataset %s, which this worker doesn't know", d.Name)
		}
		for _, c := range d.Columns {
			o.columns = append(o.columns, c.Name)
		}
		o.asked = withLinks(o.columns, *o)
	}
	objects := known[:0]
	for _, o := range known {
		if o.columns == nil {
			if o.name == "Contact" || o.name == "Lead" {
				return nil, fmt.Errorf("salesforce: the manifest lacks dataset %s, by which the others are found", o.dataset)
			}
			continue
		}
		objects = append(objects, o)
	}
	return objects, nil
}

// withLinks adds the fields by which a record is found to those that are asked
// for.
func withLinks(columns []string, o object) []string {
	asked := append([]string(nil), columns...)
	for _, link := range []string{"Id", o.contact, o.lead, o.email} {
		if link == "" {
			continue
		}
		there := false
		for _, c := range asked {
			there = there || c == link
		}
		if !there {
			asked = append(asked, link)
		}
	}
	return asked
}
