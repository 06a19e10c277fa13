package salesforce

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"habeas.dev/pkg/vendorapi"
)

// overwritten returns the fields that tell whether a record is anonymised already.
func (o *object) overwritten() []string {
	names := make([]string, 0, len(o.Overwrite))
	for f := range o.Overwrite {
		names = append(names, f)
	}
	slices.Sort(names)
	return names
}

// anonymous reports whether a record holds what it is overwritten with.
func (o *object) anonymous(f *fields) bool {
	if !o.anonymises() {
		return false
	}
	for name, want := range o.Overwrite {
		got, err := json.Marshal(vendorapi.RecordValue(f.get(name)))
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
			switch x, err := results[i], w.meaning(results[i]); {
			case err == nil:
				r.state = done
			case hasCode(err, codeGone):
				r.state = binned
			case vendorapi.IsUnsure(err):
				r.why = err // it stays live: writing the same again does no harm
			default:
				w.notDone(r, what, x, err)
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
	ids := make([]string, len(records))
	for i, r := range records {
		ids[i] = r.id
	}
	return w.collections(ctx, "update", append(body, "]}"...), 'u', ids, true)
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
// each of the records, in order. A reference is a letter and the number of its
// collection's first record. A collection that is refused as a whole, as its
// neighbours needn't be, is the result of each of its records.
func (w *Worker) collections(ctx context.Context, name string, body []byte, letter byte, ids []string, safe bool) ([]result, error) {
	results := make([]result, len(ids))
	err := w.composite(ctx, name, body, safe, ids, func(reference string, status int, raw []byte, t *vendorapi.Tally) error {
		i, err := strconv.Atoi(strings.TrimPrefix(reference, string(letter)))
		if err != nil || i < 0 || i >= len(ids) {
			return errors.New("a part of the answer was not asked for")
		}
		end := min(i+maxCollection, len(ids))
		if status != http.StatusOK {
			for ; i < end; i++ {
				t.Part(ids[i])
				results[i] = result{reply: errorReply(status, raw)}
			}
			return nil
		}
		s := vendorapi.NewScanner(raw)
		s.Array(func() {
			x := readResult(s)
			if i < end {
				t.Part(ids[i])
				results[i] = x
			}
			i++
		})
		if s.Err() == nil && i != end {
			return errShort
		}
		return s.Err()
	})
	return results, err
}
