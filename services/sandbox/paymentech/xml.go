package paymentech

import (
	"encoding/xml"
	"net/http"
	"strings"
)

// xmlMembers are the XML interface's names of what a profile holds, in the order
// of the schema (PTI95).
var xmlMembers = [...][2]string{
	{"CustomerName", "customerName"}, {"CustomerRefNum", "customerRefNum"}, {"CustomerAddress1", "customerAddress1"}, {"CustomerAddress2", "customerAddress2"},
	{"CustomerCity", "customerCity"}, {"CustomerState", "customerState"}, {"CustomerZIP", "customerZIP"}, {"CustomerEmail", "customerEmail"},
	{"CustomerPhone", "customerPhone"}, {"CustomerCountryCode", "customerCountryCode"}, {"OrderDefaultDescription", "orderDefaultDescription"},
	{"CustomerAccountType", "customerAccountType"}, {"Status", "status"}, {"CCAccountNum", "ccAccountNum"}, {"CCExpireDate", "ccExp"}, {"ECPAccountDDA", "ecpCheckDDA"},
}

// element is one element of a request or an answer.
type element struct {
	XMLName xml.Name
	Text    string    `xml:",chardata"`
	Inner   []element `xml:",any"`
}

func (e element) child(name string) element {
	for _, c := range e.Inner {
		if c.XMLName.Local == name {
			return c
		}
	}
	return element{}
}

// serveXML answers <Request><Profile>.
func (s *Server) serveXML(w http.ResponseWriter, r *http.Request, body []byte) {
	var request element
	if err := xml.Unmarshal(body, &request); err != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), typeXML) {
		quick(w, "20400", "Invalid Request")
		return
	}
	asked := request.child("Profile")
	text := func(name string) string { return strings.TrimSpace(asked.child(name).Text) }
	if !s.trusted(text("OrbitalConnectionUsername"), text("OrbitalConnectionPassword"), text("CustomerMerchantID")) {
		quick(w, statusSecurity, "Precondition Failed: Security Information is missing")
		return
	}
	action, given := text("CustomerProfileAction"), profile{}
	for _, m := range xmlMembers {
		if v := text(m[0]); v != "" && m[1] != "customerRefNum" {
			given[m[1]] = v
		}
	}
	word := map[string]string{"C": "CREATE", "R": "READ", "U": "UPDATE", "D": "DELETE"}[action]
	if word == "" || text("CustomerBin") != Bin {
		quick(w, statusIncomplete, "CustomerBin and CustomerProfileAction are needed")
		return
	}
	a, err := s.do(action, text("CustomerRefNum"), given, r.Header.Get("Trace-number"))
	if err != nil {
		http.Error(w, "<html><body>Internal Server Error</body></html>", http.StatusInternalServerError)
		return
	}
	out := []element{leaf("CustomerBin", Bin), leaf("CustomerMerchantID", DefaultMerchantID), leaf("CustomerRefNum", a.ref),
		leaf("CustomerProfileAction", word), leaf("ProfileProcStatus", a.status), leaf("CustomerProfileMessage", a.message)}
	for _, m := range xmlMembers {
		if m[1] != "customerRefNum" && a.profile != nil {
			out = append(out, leaf(m[0], a.profile[m[1]]))
		}
	}
	sendXML(w, element{XMLName: xml.Name{Local: "ProfileResp"}, Inner: out})
}

func leaf(name, text string) element { return element{XMLName: xml.Name{Local: name}, Text: text} }

// quick writes a refusal of the XML interface.
func quick(w http.ResponseWriter, status, message string) {
	sendXML(w, element{XMLName: xml.Name{Local: "QuickResp"}, Inner: []element{leaf("ProcStatus", status), leaf("StatusMsg", message)}})
}

func sendXML(w http.ResponseWriter, e element) {
	b, err := xml.Marshal(element{XMLName: xml.Name{Local: "Response"}, Inner: []element{e}})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/PTI95")
	w.Write(append([]byte(xml.Header), b...))
}
