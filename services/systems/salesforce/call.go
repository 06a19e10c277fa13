package salesforce

import (
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"habeas.dev/pkg/telemetry"
	"habeas.dev/pkg/vendorapi"
)

// heavy is how many queries or collections one Composite takes (REST API
// Developer Guide, "Composite").
const heavy = 5

// maxCollection is how many records one collection, or one emptyRecycleBin,
// takes.
const maxCollection = 200

var jsonHeader = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}

// readPage reads one page of a query's answer.
func readPage(s *vendorapi.Scanner) (vendorapi.Page, error) {
	p := vendorapi.Page{Total: -1}
	s.Object(func(key []byte) {
		switch string(key) {
		case "records":
			p.Listed = true
			s.Array(func() { p.Rows = append(p.Rows, s.Value()) })
		case "done":
			p.Last = s.Bool()
		case "nextRecordsUrl":
			p.Next = s.String()
		case "totalSize":
			p.Total = s.Int()
		default:
			s.Skip()
		}
	})
	if p.Next != "" && !strings.HasPrefix(p.Next, "/services/data/") {
		return p, errors.New("the page that follows is outside of Salesforce's own interface")
	}
	return p, s.Err()
}

// each runs queries, several to a call, and hands every row to row with the
// number of its query: all rows of one query, page by page, then the next's. A
// query that Salesforce refuses for what it names goes to refused, and the
// others go on.
func (w *Worker) each(ctx context.Context, queries []string, row func(query int, raw []byte) error, refused func(query int, r *refusal) error) error {
	for from := 0; from < len(queries); from += heavy {
		to := min(from+heavy, len(queries))
		answers, err := w.first(ctx, queries[from:to])
		if err != nil {
			return err
		}
		for i, a := range answers {
			if a.refused != nil {
				if err := refused(from+i, a.refused); err != nil {
					return err
				}
				continue
			}
			if err := w.pages(ctx, a.list, func(raw []byte) error { return row(from+i, raw) }); err != nil {
				return err
			}
			answers[i] = queryAnswer{}
		}
	}
	return nil
}

// pages runs over the rows of a list of which the first page is there.
func (w *Worker) pages(ctx context.Context, list *vendorapi.List, row func(raw []byte) error) error {
	for {
		for _, raw := range list.Rows() {
			if err := row(raw); err != nil {
				return err
			}
		}
		if list.Next() == "" {
			return nil
		}
		// The address holds no personal data.
		err := w.api.Do(ctx, vendorapi.Call{Name: "query.more", Method: http.MethodGet, Path: list.Next(), Header: jsonHeader, Safe: true,
			Expect: vendorapi.PageOf(list, func(a *vendorapi.Answer) (vendorapi.Page, error) { return readPage(vendorapi.NewScanner(a.Body)) })})
		if err != nil {
			return err
		}
	}
}

// queryAnswer is what one query was answered: a list, or why it is refused.
type queryAnswer struct {
	list    *vendorapi.List
	refused *refusal
}

// first asks for the first pages of at most five queries, in one call.
func (w *Worker) first(ctx context.Context, queries []string) ([]queryAnswer, error) {
	body := []byte(`{"allOrNone":false,"compositeRequest":[`)
	references := make([]string, len(queries))
	number := map[string]int{}
	for i, q := range queries {
		if i > 0 {
			body = append(body, ',')
		}
		references[i] = "q" + strconv.Itoa(i)
		number[references[i]] = i
		body = append(body, `{"method":"GET","referenceId":"`+references[i]+`","url":"/services/data/`+w.version+`/queryAll?q=`...)
		body = append(body, url.QueryEscape(q)...) // ASCII without quotes: JSON as it is
		body = append(body, `"}`...)
	}
	answers := make([]queryAnswer, len(queries))
	err := w.composite(ctx, "query", append(body, "]}"...), true, references, func(reference string, status int, raw []byte, t *vendorapi.Tally) error {
		i, asked := number[reference]
		if !asked || status != http.StatusOK {
			r := errorReply(status, raw)
			if t.Part(reference); asked && (r.Code == "INVALID_TYPE" || r.Code == "INVALID_FIELD") {
				answers[i] = queryAnswer{refused: &refusal{r.Code, r.Message, r.Detail}}
				return nil
			}
			return w.api.Judge(r)
		}
		p, err := readPage(vendorapi.NewScanner(raw))
		if err != nil {
			return err
		}
		answers[i] = queryAnswer{list: vendorapi.NewList()}
		return t.Page(reference, answers[i].list, p)
	})
	return answers, err
}

// composite makes a Composite call and reads its parts in order. keys are what they
// must account for, and read tells the tally.
func (w *Worker) composite(ctx context.Context, name string, body []byte, safe bool, keys []string, read func(reference string, status int, body []byte, t *vendorapi.Tally) error) error {
	expect := vendorapi.Parts(keys, func(a *vendorapi.Answer, t *vendorapi.Tally) error {
		s := vendorapi.NewScanner(a.Body)
		var failed error
		s.Object(func(key []byte) {
			if string(key) != "compositeResponse" {
				s.Skip()
				return
			}
			s.Array(func() {
				// The body comes before its status and name: it is read last.
				var raw []byte
				var status int
				var reference string
				s.Object(func(key []byte) {
					switch string(key) {
					case "body":
						raw = s.Value()
					case "httpStatusCode":
						status = int(s.Int())
					case "referenceId":
						reference = s.String()
					default:
						s.Skip()
					}
				})
				if s.Err() == nil && failed == nil {
					failed = read(reference, status, raw, t)
				}
			})
		})
		if s.Err() != nil {
			return s.Err()
		}
		return failed
	})
	return w.api.Do(ctx, vendorapi.Call{Name: name, Method: http.MethodPost, Path: "/services/data/" + w.version + "/composite", Header: jsonHeader, Body: body, Safe: safe, Expect: expect})
}

// result is what came of one record's deletion, purge or change.
type result struct {
	done  bool
	reply vendorapi.Reply // why not: with the code of the first error
}

// meaning returns what a result says of its record; nil where it was done.
func (w *Worker) meaning(x result) error {
	if x.done {
		return nil
	}
	return w.api.Judge(x.reply)
}

// refusedRecord returns the reply about one record that wasn't done.
func refusedRecord(code, message string) vendorapi.Reply {
	return vendorapi.Reply{Status: http.StatusOK, Own: true, Code: cmp.Or(code, "none"), Message: message, Detail: errors.New(message)}
}

// deleteAll deletes at most five collections' worth of records in one call and
// returns a result for each, in order. Of an answer that was lost it returns an
// error of [vendorapi.IsUnsure].
func (w *Worker) deleteAll(ctx context.Context, ids []string) ([]result, error) {
	body := []byte(`{"allOrNone":false,"compositeRequest":[`)
	for from := 0; from < len(ids); from += maxCollection {
		if from > 0 {
			body = append(body, ',')
		}
		body = append(body, `{"method":"DELETE","referenceId":"d`+strconv.Itoa(from)+`","url":"/services/data/`+w.version+`/composite/sobjects?allOrNone=false&ids=`...)
		body = append(body, strings.Join(ids[from:min(from+maxCollection, len(ids))], ",")...)
		body = append(body, `"}`...)
	}
	return w.collections(ctx, "delete", append(body, "]}"...), 'd', ids, false)
}

// readResult reads {id,success,errors:[{statusCode,message}]}.
func readResult(s *vendorapi.Scanner) (x result) {
	var code, message string
	s.Object(func(key []byte) {
		switch string(key) {
		case "success":
			x.done = s.Bool()
		case "errors":
			s.Array(func() {
				s.Object(func(key []byte) {
					switch v := s.Value(); string(key) {
					case "statusCode":
						code = vendorapi.Text(v)
					case "message":
						message = vendorapi.Text(v)
					}
				})
			})
		default:
			s.Skip()
		}
	})
	if !x.done {
		x.reply = refusedRecord(code, message)
	}
	return x
}

// purge empties the recycle bin of at most 200 records. It is SOAP's
// emptyRecycleBin: REST has no such call, and a bulk job takes seven.
func (w *Worker) purge(ctx context.Context, ids []string) ([]result, error) {
	results := make([]result, len(ids))
	expect := vendorapi.Parts(ids, func(a *vendorapi.Answer, t *vendorapi.Tally) error {
		var out struct {
			Results []struct {
				Success bool `xml:"success"`
				Errors  []struct {
					Message string `xml:"message"`
					Status  string `xml:"statusCode"`
				} `xml:"errors"`
			} `xml:"Body>emptyRecycleBinResponse>result"`
		}
		if err := xml.Unmarshal(a.Body, &out); err != nil {
			return err
		}
		for _, r := range out.Results {
			i, asked := t.Next()
			if !asked {
				break
			}
			if results[i].done = r.Success; r.Success {
				continue
			}
			r.Errors = append(r.Errors, struct {
				Message string `xml:"message"`
				Status  string `xml:"statusCode"`
			}{})
			results[i].reply = refusedRecord(r.Errors[0].Status, r.Errors[0].Message)
		}
		return nil
	})
	err := w.api.Do(ctx, vendorapi.Call{
		Name: "purge", Method: http.MethodPost, Path: "/services/Soap/u/" + w.config.Version,
		Header: http.Header{"Content-Type": {"text/xml; charset=UTF-8"}, "SOAPAction": {`""`}},
		Make:   func(token string) []byte { return emptyRecycleBin(token, ids) }, Expect: expect,
	})
	return results, err
}

// errShort is an answer with less than was asked for.
var errShort = telemetry.Constant("the answer holds less than was asked for")

func emptyRecycleBin(token string, ids []string) []byte {
	var b strings.Builder
	b.Grow(512 + 32*len(ids))
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="http://schemas.xmlsoap.org/soap/envelope/" xmlns:urn="urn:partner.soap.sforce.com"><env:Header><urn:SessionHeader><urn:sessionId>`)
	_ = xml.EscapeText(&b, []byte(token)) // a Builder takes everything
	b.WriteString(`</urn:sessionId></urn:SessionHeader></env:Header><env:Body><urn:emptyRecycleBin>`)
	for _, id := range ids {
		b.WriteString("<urn:ids>" + id + "</urn:ids>")
	}
	b.WriteString(`</urn:emptyRecycleBin></env:Body></env:Envelope>`)
	return []byte(b.String())
}
