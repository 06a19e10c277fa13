package marketo

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	"habeas.dev/pkg/vendorapi"
)

// membersOf runs over the memberships of one lead: Marketo tells of one only at
// a time. Each row has its lead's id as leadId.
func (w *Worker) membersOf(ctx context.Context, d *dataset, lead string, row func(f *fields) error) error {
	f := newFields(d.columns)
	return w.rows(ctx, d.Of, "leads/"+lead+"/"+d.path, url.Values{}, func(raw []byte) error {
		if err := f.read(raw); err != nil {
			return err
		}
		if i, ok := f.at["leadId"]; ok {
			f.values[i] = []byte(lead)
		}
		return row(f)
	})
}

// membersIn runs over what a program holds of at most 300 leads.
func (w *Worker) membersIn(ctx context.Context, d *dataset, program int64, leads []string, row func(f *fields) error) error {
	f := newFields(d.columns, "leadId")
	q := url.Values{"filterType": {"leadId"}, "filterValues": {strings.Join(leads, ",")}, "fields": {strings.Join(f.names, ",")}}
	return w.rows(ctx, "program-members", "programs/"+strconv.FormatInt(program, 10)+"/members.json", q, func(raw []byte) error {
		if err := f.read(raw); err != nil {
			return err
		}
		return row(f)
	})
}

// idText returns a raw number, or a text that holds one, as ids are kept here.
func idText(raw []byte) string {
	if t := vendorapi.Text(raw); t != "" {
		return t
	}
	return string(raw)
}
