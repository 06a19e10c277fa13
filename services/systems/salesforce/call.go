package salesforce

import (
	"context"
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// heavy is how many queries or collections one Composite takes (REST API
// Developer Guide, "Composite").
const heavy = 5

// maxCollection is how many records one collection, or one emptyRecycleBin,
// takes.
const maxCollection = 200

var jsonHeader = http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"}}

// page is one page of a query's answer: rows, raw, and where the next one is.
type page struct {
	rows    [][]byte
	next    string
	refused *refusal // instead
}

// readPage reads a query's answer.
func readPage(s *vendorapi.Scanner) (p page) {
	s.Object(func(key []byte) {
		switch string(key) {
		case "records":
			s.Array(func() { p.rows = append(p.rows, s.Value()) })
		case "nextRecordsUrl":
			p.next = s.String()
		default:
			s.Skip()
		}
	})
	return p
}

// each runs queries, several to a call, and hands every row to row with the
// number of its query: all rows of one query, page by page, then the next's. A
// query that Salesforce refuses for what it names goes to refused, and the
// others go on.
func (w *Worker) each(ctx context.Context, queries []string, row func(query int, raw []byte) error, refused func(query int, r *refusal) error) error {
	for from := 0; from < len(queries); from += heavy {
		to := min(from+heavy, len(queries))
		pages, err := w.first(ctx, queries[from:to])
		if err != nil {
			return err
		}
		for i, p := range pages {
			if p.refused != nil {
				if err := refused(from+i, p.refused); err != nil {
					return err
				}
				continue
			}
			for {
				for _, raw := range p.rows {
					if err := row(from+i, raw); err != nil {
						return err
					}
				}
				if p.next == "" {
					break
				}
				if p, err = w.next(ctx, p.next); err != nil {
					return err
				}
			}
			pages[i] = page{}
		}
	}
	return nil
}

// first asks for the first pages of at most five queries, in one call.
func (w *Worker) first(ctx context.Context, queries []string) ([]page, error) {
	body := []byte(`{"allOrNone":false,"compositeRequest":[`)
	for i, q := range queries {
		if i > 0 {
			body = append(body, ',')
		}
		body = append(body, `{"method":"GET","referenceId":"q`+strconv.Itoa(i)+`","url":"/services/data/`+w.version+`/queryAll?q=`...)
		body = append(body, url.QueryEscape(q)...) // ASCII without quotes: JSON as it is
		body = append(body, `"}`...)
	}
	pages := make([]page, len(queries))
	err := w.composite(ctx, "query", append(body, "]}"...), true, func(reference string, status int, s *vendorapi.Scanner) error {
		i, err := strconv.Atoi(strings.TrimPrefix(reference, "q"))
		if err != nil || i < 0 || i >= len(pages) {
			s.Skip()
			return nil //nolint:nilerr // an answer to what wasn't asked is passed over
		}
		if status != http.StatusOK {
			raw := s.Value()
			if code, message := firstError(raw); code == "INVALID_TYPE" || code == "INVALID_FIELD" {
				pages[i] = page{refused: &refusal{code, message, (&vendorapi.Answer{Status: status, Body: raw}).Detail()}}
				return nil
			}
			return w.refusal(status, raw, 0)
		}
		pages[i] = readPage(s)
		return s.Err()
	})
	return pages, err
}

// next asks for a further page. The address holds no personal data.
func (w *Worker) next(ctx context.Context, address string) (p page, err error) {
	if !strings.HasPrefix(address, "/services/data/") {
		return p, worker.Permanent("bad-page", "Salesforce named a page outside of its own interface", nil)
	}
	err = w.do(ctx, vendorapi.Call{Name: "query.more", Method: http.MethodGet, Path: address, Header: jsonHeader, Safe: true, Read: func(a *vendorapi.Answer) error {
		s := vendorapi.NewScanner(a.Body)
		p = readPage(s)
		return s.Err()
	}})
	return p, err
}

// composite makes a Composite call and reads its answers in order. read MUST
// read the body.
func (w *Worker) composite(ctx context.Context, name string, body []byte, safe bool, read func(reference string, status int, body *vendorapi.Scanner) error) error {
	err := w.do(ctx, vendorapi.Call{Name: name, Method: http.MethodPost, Path: "/services/data/" + w.version + "/composite", Header: jsonHeader, Body: body, Safe: safe, Read: func(a *vendorapi.Answer) error {
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
					failed = read(reference, status, vendorapi.NewScanner(raw))
				}
			})
		})
		if s.Err() != nil {
			return s.Err()
		}
		return failed
	}})
	return err
}

func (w *Worker) do(ctx context.Context, call vendorapi.Call) error {
	_, err := w.api.Do(ctx, call)
	return err
}

// result is what came of one record's deletion or purge.
type result struct {
	id     string
	done   bool
	status string // statusCode of the first error, where there is one
	detail string
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
	return w.collections(ctx, "delete", append(body, "]}"...), 'd', len(ids), false, func(i int) string { return ids[i] })
}

// readResult reads {id,success,errors:[{statusCode,message}]}.
func readResult(s *vendorapi.Scanner) (r result) {
	s.Object(func(key []byte) {
		switch string(key) {
		case "success":
			r.done = s.Bool()
		case "errors":
			s.Array(func() {
				s.Object(func(key []byte) {
					switch v := s.Value(); string(key) {
					case "statusCode":
						r.status = vendorapi.Text(v)
					case "message":
						r.detail = vendorapi.Text(v)
					}
				})
			})
		default:
			s.Skip()
		}
	})
	return r
}

// purge empties the recycle bin of at most 200 records. It is SOAP's
// emptyRecycleBin: REST has no such call, and a bulk job takes seven.
func (w *Worker) purge(ctx context.Context, ids []string) ([]result, error) {
	results := make([]result, len(ids))
	err := w.do(ctx, vendorapi.Call{
		Name: "purge", Method: http.MethodPost, Path: "/services/Soap/u/" + w.config.Version,
		Header: http.Header{"Content-Type": {"text/xml; charset=UTF-8"}, "SOAPAction": {`""`}},
		Make:   func(token string) []byte { return emptyRecycleBin(token, ids) },
		Read: func(a *vendorapi.Answer) error {
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
			if len(out.Results) != len(ids) {
				return errShort
			}
			for i, r := range out.Results {
				results[i] = result{id: ids[i], done: r.Success}
				if len(r.Errors) > 0 {
					results[i].status, results[i].detail = r.Errors[0].Status, r.Errors[0].Message
				}
			}
			return nil
		},
	})
	return results, err
}

// errShort is an answer with less than was asked for.
var errShort = errors.New("the answer holds less than was asked for")

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
