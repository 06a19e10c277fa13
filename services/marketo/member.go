package marketo

import (
	"context"
	"net/url"

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

// idText is a raw number, or a text that holds one, as ids are kept here.
func idText(raw []byte) string {
	if t := vendorapi.Text(raw); t != "" {
		return t
	}
	return string(raw)
}
