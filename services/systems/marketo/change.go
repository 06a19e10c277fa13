package marketo

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// result is what came of one record that was to be deleted or changed.
type result struct {
	id   string // empty where the answer doesn't say
	done bool
	code string // of the first reason, where there is one
	text string
}

var errOtherResults = telemetry.Constant("the answer's results are not those of the records that were sent")

// change sends at most 300 records and returns a result for each, in order; done
// is the status that means that it was done. Where a call isn't safe, it returns
// of an answer that was lost an error of [vendorapi.IsUnsure].
func (w *Worker) change(ctx context.Context, name, path string, body []byte, ids []string, done string, safe bool) ([]result, error) {
	results := make([]result, len(ids))
	expect := vendorapi.Parts(ids, func(a *vendorapi.Answer, t *vendorapi.Tally) (err error) {
		e := readAnswer(a, func(s *vendorapi.Scanner, key string) {
			if key != "result" {
				s.Skip()
				return
			}
			s.Array(func() {
				r := readResult(s, done)
				i, asked := t.Next()
				if !asked {
					return
				}
				if results[i] = r; r.id != "" && r.id != ids[i] {
					err = errOtherResults
				}
			})
		})
		return errors.Join(e, err)
	})
	err := w.api.Do(ctx, vendorapi.Call{Name: name, Method: http.MethodPost, Path: "/rest/v1/" + path, Header: asJSON, Body: body, Safe: safe, Expect: expect})
	return results, err
}

// readResult reads {id,status,reasons:[{code,message}]}, of a custom object
// {marketoGUID,…}.
func readResult(s *vendorapi.Scanner, done string) (r result) {
	s.Object(func(key []byte) {
		switch string(key) {
		case "id":
			if n := vendorapi.Int(s.Value()); n > 0 {
				r.id = strconv.FormatInt(n, 10)
			}
		case guid:
			r.id = s.String()
		case "status":
			r.done = s.String() == done
		case "reasons":
			s.Array(func() {
				s.Object(func(key []byte) {
					switch v := s.Value(); {
					case string(key) == "code" && r.code == "":
						r.code = idText(v)
					case string(key) == "message" && r.text == "":
						r.text = vendorapi.Text(v)
					}
				})
			})
		default:
			s.Skip()
		}
	})
	return r
}

// meaning returns what a result says of its record; nil where it was done.
func (w *Worker) meaning(r result) error {
	if r.done {
		return nil
	}
	return w.api.Judge(vendorapi.Reply{Status: http.StatusOK, Own: true, Code: cmp.Or(r.code, "none"), Message: r.text, Detail: errors.New(r.text)})
}

// deleteLeads deletes at most 300 leads.
func (w *Worker) deleteLeads(ctx context.Context, ids []string) ([]result, error) {
	body := []byte(`{"input":[`)
	for i, id := range ids {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(append(append(body, `{"id":`...), id...), '}')
	}
	return w.change(ctx, "leads.delete", "leads/delete.json", append(body, "]}"...), ids, "deleted", false)
}

// deleteRecords deletes at most 300 records of a custom object.
func (w *Worker) deleteRecords(ctx context.Context, d *dataset, ids []string) ([]result, error) {
	type record struct {
		GUID string `json:"marketoGUID"`
	}
	in := struct {
		By    string   `json:"deleteBy"`
		Input []record `json:"input"`
	}{By: "idField"}
	for _, id := range ids {
		in.Input = append(in.Input, record{id})
	}
	body, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	return w.change(ctx, "customobjects.delete", "customobjects/"+d.Object+"/delete.json", body, ids, "deleted", false)
}

// update is what one lead's fields become.
type update struct {
	lead   string
	of     []*subject
	fields map[string]any
	// done tells that the lead has them.
	done bool
}

// updateLeads changes leads that are there, and makes none: an upsert of several
// at once would make duplicates. The same change twice does no harm. A lead that
// Marketo refuses to change fails its subjects.
func (w *Worker) updateLeads(ctx context.Context, updates []*update) error {
	for some := range slices.Chunk(updates, maxPage) {
		in := struct {
			Action string           `json:"action"`
			Lookup string           `json:"lookupField"`
			Input  []map[string]any `json:"input"`
		}{Action: "updateOnly", Lookup: "id"}
		ids := make([]string, len(some))
		for i, u := range some {
			ids[i] = u.lead
			record := map[string]any{"id": json.Number(u.lead)}
			for f, v := range u.fields {
				record[f] = v
			}
			in.Input = append(in.Input, record)
		}
		body, err := json.Marshal(in)
		if err != nil {
			return err
		}
		results, err := w.change(ctx, "leads.update", pathLeads, body, ids, "updated", true)
		if err != nil {
			return err
		}
		for i, r := range results {
			switch err := w.meaning(r); {
			case err == nil:
				some[i].done = true
			case hasCode(err, codeGone): // meanwhile: there is nothing to change
			case isPermanent(err):
				fail(some[i].of, worker.Permanent("update-refused", "Marketo refuses to change a lead ("+vendorapi.Code(r.code)+"): change it by hand", errors.New(r.text)))
			default:
				fail(some[i].of, vendorapi.Deferred(err))
			}
		}
	}
	return nil
}
