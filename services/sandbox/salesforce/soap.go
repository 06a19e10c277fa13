package salesforce

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"strings"
)

// soap answers emptyRecycleBin, the one call that purges without a bulk job
// (SOAP API Developer Guide).
func (s *Server) soap(w http.ResponseWriter, r *http.Request, body []byte) {
	var in struct {
		Session string    `xml:"Header>SessionHeader>sessionId"`
		Empty   *struct { //
			IDs []string `xml:"ids"`
		} `xml:"Body>emptyRecycleBin"`
	}
	s.Count("soap.emptyRecycleBin")
	if err := xml.Unmarshal(body, &in); err != nil || in.Empty == nil {
		soapFault(w, "soapenv:Client", "UNKNOWN_EXCEPTION: unknown operation or malformed message")
		return
	}
	if r.Method != http.MethodPost {
		soapFault(w, "soapenv:Client", "Only POST is supported")
		return
	}
	if !s.tokens.valid(in.Session) {
		soapFault(w, "sf:INVALID_SESSION_ID", "INVALID_SESSION_ID: Invalid Session ID found in SessionHeader: Illegal Session")
		return
	}
	if _, ok := s.spend(); !ok {
		soapFault(w, "sf:REQUEST_LIMIT_EXCEEDED", "REQUEST_LIMIT_EXCEEDED: TotalRequests Limit exceeded.")
		return
	}
	if len(in.Empty.IDs) > MaxCollection {
		soapFault(w, "sf:EXCEEDED_ID_LIMIT", "EXCEEDED_ID_LIMIT: record limit reached. cannot submit more than 200 records into this call")
		return
	}
	results, err := s.empty(in.Empty.IDs)
	if err != nil {
		soapFault(w, "sf:"+err.code, err.code+": "+err.message)
		return
	}
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns="urn:partner.soap.sforce.com"><soapenv:Body><emptyRecycleBinResponse>`)
	for _, x := range results {
		b.WriteString("<result>")
		for _, e := range x.Errors {
			b.WriteString("<errors><message>")
			_ = xml.EscapeText(&b, []byte(e.Message)) // a buffer takes everything
			b.WriteString("</message><statusCode>" + e.Status + "</statusCode></errors>")
		}
		b.WriteString("<id>" + x.ID + "</id><success>")
		if x.Success {
			b.WriteString("true")
		} else {
			b.WriteString("false")
		}
		b.WriteString("</success></result>")
	}
	b.WriteString(`</emptyRecycleBinResponse></soapenv:Body></soapenv:Envelope>`)
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	w.Write(b.Bytes())
}

// empty purges records from the recycle bin, and what lies there below them.
func (s *Server) empty(ids []string) ([]itemResult, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]bool{}
	for _, id := range ids {
		if isID(id) {
			all[id[:15]] = true
		}
	}
	results := make([]itemResult, len(ids))
	var todo []string
	for i, id := range ids {
		results[i] = s.tryPurge(strings.TrimSpace(id), all)
		if !results[i].Success {
			continue
		}
		todo = append(todo, s.purgeWith(s.store.byID[id[:15]])...)
	}
	return results, s.commit(change{Purge: todo})
}

// purgeWith returns a record and what lies in the recycle bin below it.
func (s *Server) purgeWith(r *row) []string {
	out := []string{r.id}
	for _, c := range s.below(r) {
		if !c.purged && !c.deletedAt.IsZero() {
			out = append(out, s.purgeWith(c)...)
		}
	}
	return out
}

func soapFault(w http.ResponseWriter, code, text string) {
	var b bytes.Buffer
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:sf="urn:fault.partner.soap.sforce.com"><soapenv:Body><soapenv:Fault><faultcode>` + code + `</faultcode><faultstring>`)
	_ = xml.EscapeText(&b, []byte(text)) // a buffer takes everything
	b.WriteString(`</faultstring></soapenv:Fault></soapenv:Body></soapenv:Envelope>`)
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	w.WriteHeader(http.StatusInternalServerError)
	w.Write(b.Bytes())
}
