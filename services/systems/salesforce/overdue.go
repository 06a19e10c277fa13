package salesforce

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// Overdue counts what lies beyond the storage periods that the manifest says as data, a call
// for each dataset; the recycle bin isn't counted. A field of type date is compared as a day,
// any other as a moment, from midnight in UTC.
func (w *Worker) Overdue(ctx context.Context) ([]worker.Overdue, error) {
	var out []worker.Overdue
	for i := range w.objects {
		d := w.manifest.Dataset(w.objects[i].dataset)
		if d == nil || d.Stored == nil {
			continue
		}
		span, err := w.manifest.Span(d.Stored.Rule())
		if err != nil {
			return out, fmt.Errorf("salesforce: %s: storage: %w", d.Name, err)
		}
		o := worker.Overdue{Dataset: d.Name, Before: span.FirstKept(w.config.Now())}
		before := o.Before.Format("2006-01-02T15:04:05Z")
		if c := d.Column(d.Stored.From); c != nil && c.Type == "date" {
			before = o.Before.Format(time.DateOnly)
		}
		if o.Records, err = w.count(ctx, w.objects[i].Object+" WHERE "+d.Stored.From+" < "+before); err != nil {
			return out, fmt.Errorf("salesforce: %s: %w", d.Name, err)
		}
		out = append(out, o)
	}
	return out, nil
}

// count returns how many records there are of an object, by a condition without personal data.
func (w *Worker) count(ctx context.Context, of string) (n int64, err error) {
	path := "/services/data/" + w.version + "/query?q=" + url.QueryEscape("SELECT COUNT() FROM "+of)
	err = w.api.Do(ctx, vendorapi.Call{Name: "query.count", Method: http.MethodGet, Path: path, Header: jsonHeader, Safe: true, Expect: vendorapi.One(func(a *vendorapi.Answer) error {
		page, err := readPage(vendorapi.NewScanner(a.Body))
		if err == nil && page.Total < 0 {
			return errors.New("the answer says no totalSize")
		}
		n = page.Total
		return err
	})})
	return n, err
}
