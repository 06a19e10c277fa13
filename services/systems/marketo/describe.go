package marketo

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// described is which fields leads have, by name, and whether one may be
// changed. It is asked for once an hour.
type described struct {
	mu     sync.Mutex
	fields map[string]bool
	at     time.Time
}

// describeLife is how long a description is believed.
const describeLife = time.Hour

// leadFields describes leads.
func (w *Worker) leadFields(ctx context.Context) (map[string]bool, error) {
	w.described.mu.Lock()
	defer w.described.mu.Unlock()
	if w.described.fields != nil && w.config.Now().Sub(w.described.at) < describeLife {
		return w.described.fields, nil
	}
	fields := map[string]bool{}
	err := w.ask(ctx, "describe", "leads/describe.json", url.Values{}, "result", func(s *vendorapi.Scanner) {
		clear(fields)
		s.Array(func() {
			s.Object(func(key []byte) {
				if string(key) != "rest" { // soap has names of its own
					s.Skip()
					return
				}
				name, readOnly := "", false
				s.Object(func(key []byte) {
					switch string(key) {
					case "name":
						name = s.String()
					case "readOnly":
						readOnly = s.Bool()
					default:
						s.Skip()
					}
				})
				fields[name] = !readOnly
			})
		})
	})
	if err != nil {
		return nil, err
	}
	w.described.fields, w.described.at = fields, w.config.Now()
	return fields, nil
}

// nameMissing returns an error that names the columns which leads lack, where Marketo said that it
// doesn't know one.
func (w *Worker) nameMissing(ctx context.Context, columns []string, err error) error {
	if !hasCode(err, codeSchema) {
		return err
	}
	fields, derr := w.leadFields(ctx)
	if derr != nil {
		return err
	}
	var missing []string
	for _, c := range columns {
		if _, ok := fields[c]; !ok {
			missing = append(missing, c)
		}
	}
	if missing == nil {
		return err
	}
	slices.Sort(missing)
	return worker.Permanent(codeSchema, "Marketo's leads lack or hide what the manifest declares ("+strings.Join(missing, ", ")+"): make the field or show it to the API user, or take the column out of the manifest; then retry", err)
}
