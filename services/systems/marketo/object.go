package marketo

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// guid is the field by which Marketo knows a custom object's records.
const guid = "marketoGUID"

// records runs over a custom object's records of a group's subjects, as find
// does over leads. byLead are the subjects of its leads.
func (w *Worker) records(ctx context.Context, d *dataset, g *group, byLead map[string][]*subject, columns []string, row leadRow) error {
	fields := func() *fields { return newFields(columns, guid, d.Link) }
	return search{fields, func(ctx context.Context, g *group, row leadRow) error {
		values, of := d.links(g, byLead)
		f := fields()
		for some := range slices.Chunk(values, maxPage) {
			q := url.Values{"filterType": {d.Link}, "filterValues": {strings.Join(some, ",")}, "fields": {strings.Join(f.names, ",")}}
			err := w.rows(ctx, "customobjects", pathObject(d), q, func(raw []byte) error {
				if err := f.read(raw); err != nil {
					return err
				}
				id := vendorapi.Text(f.get(guid))
				if id == "" {
					return worker.Permanent(codeBadID, "Marketo answered with a record that has no id", nil)
				}
				subjects := of(f.get(d.Link))
				if len(subjects) == 0 {
					return errStranger("a record of " + d.Object)
				}
				return row(id, f, subjects)
			})
			if err != nil {
				return err
			}
		}
		return nil
	}}.each(ctx, g, row)
}

// links returns what a custom object's records of a group refer to, and whose they
// are.
func (d *dataset) links(g *group, byLead map[string][]*subject) (values []string, of func(link []byte) []*subject) {
	if d.Lead == "email" {
		return g.emails, func(link []byte) []*subject { return g.byEmail[fold(vendorapi.Text(link))] }
	}
	ours := map[string][]*subject{}
	for id, all := range byLead {
		for _, s := range all {
			if slices.Contains(g.subjects, s) {
				ours[id] = append(ours[id], s)
			}
		}
	}
	return slices.SortedFunc(maps.Keys(ours), cmpIDs), func(link []byte) []*subject { return ours[idText(link)] }
}

func pathObject(d *dataset) string { return "customobjects/" + url.PathEscape(d.Object) + ".json" }

// fold returns how addresses are compared.
func fold(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// uncovered returns why a dataset isn't covered that the worker may not read or change.
// What else there is goes on.
func uncovered(d *dataset) string {
	return "Marketo forbids the worker's API user what dataset " + d.name + " needs: grant the permission to its role and retry, or see to it by hand"
}

// unseen says in fields that a dataset can't be read.
func unseen(d *dataset) dsar.Cause {
	return dsar.Cause{Code: "no-permission", Dataset: d.name, Permission: "read"}
}

// affected returns the subjects of a group of whom a dataset that isn't shown may
// hold something: what is found by a lead is nobody's who has none.
func (d *dataset) affected(g *group, byLead map[string][]*subject) []*subject {
	if d.byAddress() {
		return g.subjects
	}
	var some []*subject
	for _, of := range byLead {
		for _, s := range of {
			if !slices.Contains(some, s) {
				some = append(some, s)
			}
		}
	}
	return some
}

// byAddress reports whether its records are found without a lead.
func (d *dataset) byAddress() bool { return d.Of == ofObject && d.Lead == "email" }
