package salesforce

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"habeas.dev/pkg/vendorapi"
)

// overwritten are the fields that tell whether a record is anonymised already.
func (o *object) overwritten() []string {
	names := make([]string, 0, len(o.Overwrite))
	for f := range o.Overwrite {
		names = append(names, f)
	}
	slices.Sort(names)
	return names
}

// anonymous tells whether a record holds what it is overwritten with.
func (o *object) anonymous(f *fields) bool {
	if !o.anonymises() {
		return false
	}
	for name, want := range o.Overwrite {
		got, err := json.Marshal(vendorapi.Plain(f.get(name)))
		wanted, err2 := json.Marshal(want)
		if err != nil || err2 != nil || string(got) != string(wanted) {
			return false
		}
	}
	return true
}

// overwrite anonymises records.
func (w *Worker) overwrite(ctx context.Context, records []*held) error {
	return w.settle(ctx, records, live, func(ctx context.Context, some []*held) error {
		return w.update(ctx, some, "overwrite", anonymised, func(r *held) map[string]any { return w.objects[r.object].Overwrite })
	})
}

// update writes fields of records, a thousand to a call, and brings those that
// Salesforce took into a state. Writing the same again does no harm, so that a
// call whose answer was lost is made again.
func (w *Worker) update(ctx context.Context, records []*held, what string, done state, fields func(*held) map[string]any) error {
	for len(records) > 0 {
		some := records[:min(heavy*maxCollection, len(records))]
		records = records[len(some):]
		results, err := w.updateAll(ctx, some, fields)
		if err != nil {
			return err
		}
		for i, r := range some {
			switch x := results[i]; {
			case x.done:
				r.state = done
			case x.status == "ENTITY_IS_DELETED":
				r.state = binned
			case retriable(x.status):
				// stays live
			default:
				w.refused(r, what, x)
			}
		}
	}
	return nil
}

// updateAll writes at most five collections' worth of records in one call.
func (w *Worker) updateAll(ctx context.Context, records []*held, fields func(*held) map[string]any) ([]result, error) {
	body := []byte(`{"allOrNone":false,"compositeRequest":[`)
	for from := 0; from < len(records); from += maxCollection {
		if from > 0 {
			body = append(body, ',')
		}
		body = append(body, `{"method":"PATCH","referenceId":"u`+strconv.Itoa(from)+`","url":"/services/data/`+w.version+`/composite/sobjects","body":{"allOrNone":false,"records":[`...)
		for i, r := range records[from:min(from+maxCollection, len(records))] {
			if i > 0 {
				body = append(body, ',')
			}
			body = append(body, `{"attributes":{"type":"`+w.objects[r.object].Object+`"},"id":"`+r.id+`"`...)
			values := fields(r)
			for _, name := range sortedKeys(values) {
				v, err := json.Marshal(values[name])
				if err != nil {
					return nil, err
				}
				body = append(body, `,"`+name+`":`...)
				body = append(body, v...)
			}
			body = append(body, '}')
		}
		body = append(body, `]}}`...)
	}
	return w.collections(ctx, "update", append(body, "]}"...), 'u', len(records), true, func(i int) string { return records[i].id })
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// collections makes a Composite call of collections and returns a result for
// each of n records, in order. A reference is a letter and the number of its
// collection's first record.
func (w *Worker) collections(ctx context.Context, name string, body []byte, letter byte, n int, safe bool, id func(int) string) ([]result, error) {
	results := make([]result, n)
	err := w.composite(ctx, name, body, safe, func(reference string, status int, s *vendorapi.Scanner) error {
		from, err := strconv.Atoi(strings.TrimPrefix(reference, string(letter)))
		if err != nil || from < 0 || from >= n {
			s.Skip()
			return nil //nolint:nilerr // an answer to what wasn't asked is passed over
		}
		to := min(from+maxCollection, n)
		if status != http.StatusOK {
			// The collection as a whole was refused, its neighbours weren't.
			code, message := firstError(s.Value())
			for i := from; i < to; i++ {
				results[i] = result{id: id(i), status: code, detail: message}
			}
			return nil
		}
		i := from
		s.Array(func() {
			r := readResult(s)
			if i < to {
				r.id = id(i)
				results[i] = r
			}
			i++
		})
		if s.Err() == nil && i != to {
			return errShort
		}
		return s.Err()
	})
	return results, err
}
