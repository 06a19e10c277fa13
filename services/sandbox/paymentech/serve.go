package paymentech

import (
	"crypto/subtle"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// maxBody bounds a call; a profile has some two thousand bytes.
const maxBody = 64 << 10

const (
	pathProfile = "/gwapi/v4/gateway/profile"
	pathXML     = "/authorize"
	typeXML     = "application/PTI" // and a version
)

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "Request Entity Too Large", http.StatusRequestEntityTooLarge)
		return
	}
	// Older clients post XML to the root.
	if r.URL.Path == pathXML || r.URL.Path == "/" && strings.HasPrefix(r.Header.Get("Content-Type"), typeXML) {
		s.serveXML(w, r, body)
		return
	}
	if !s.trusted(r.Header.Get("orbitalConnectionUsername"), r.Header.Get("orbitalConnectionPassword"), r.Header.Get("merchantID")) {
		s.Count("security")
		flat(w, http.StatusPreconditionFailed, statusSecurity, "Precondition Failed: Security Information is missing")
		return
	}
	path := strings.TrimSuffix(r.URL.EscapedPath(), "/")
	if rest, ok := strings.CutPrefix(path, pathProfile+"/version/"); ok && r.Method == http.MethodGet {
		s.serveRead(w, rest)
		return
	}
	action := map[string]string{http.MethodPost: "C", http.MethodPut: "U", http.MethodDelete: "D"}[r.Method]
	if path != pathProfile || action == "" {
		http.NotFound(w, r)
		return
	}
	s.serveChange(w, action, body, r.Header.Get("Trace-number"))
}

// trusted reports whether credentials are the stand-in's. The user name is compared
// without regard to case.
func (s *Server) trusted(user, password, merchant string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.EqualFold(user, DefaultUsername) && merchant == DefaultMerchantID &&
		subtle.ConstantTimeCompare([]byte(password), []byte(s.password)) == 1
}

// serveRead answers …/version/V/bin/B/customerrefnum/REF.
func (s *Server) serveRead(w http.ResponseWriter, rest string) {
	parts := strings.Split(rest, "/")
	if len(parts) != 5 || parts[1] != "bin" || parts[3] != "customerrefnum" {
		http.Error(w, "Not Found", http.StatusNotFound)
		return
	}
	ref, err := url.PathUnescape(parts[4])
	if err != nil || parts[2] != Bin {
		flat(w, http.StatusBadRequest, statusIncomplete, "Invalid BIN or reference")
		return
	}
	a, err := s.do("R", ref, nil, "")
	s.tell(w, a, err)
}

// envelope is the body of a change: {version, merchant, order,
// paymentInstrument, profile}.
type envelope struct {
	Version  string `json:"version"`
	Merchant struct {
		Bin string `json:"bin"`
	} `json:"merchant"`
	PaymentInstrument struct {
		CustomerAccountType string  `json:"customerAccountType"`
		Card                profile `json:"card"`
		ECP                 profile `json:"ecp"`
	} `json:"paymentInstrument"`
	Order   profile `json:"order"`
	Profile profile `json:"profile"`
}

func (s *Server) serveChange(w http.ResponseWriter, action string, body []byte, trace string) {
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		flat(w, http.StatusBadRequest, "20400", "Invalid Request")
		return
	}
	ref := e.Profile["customerRefNum"]
	if e.Merchant.Bin != Bin || e.Version == "" || ref == "" {
		flat(w, http.StatusBadRequest, statusIncomplete, "version, merchant.bin and profile.customerRefNum are needed")
		return
	}
	given := profile{}
	for _, from := range []profile{e.PaymentInstrument.Card, e.PaymentInstrument.ECP, e.Order, e.Profile} {
		for name, v := range from {
			given[name] = v
		}
	}
	delete(given, "customerRefNum")
	if e.PaymentInstrument.CustomerAccountType != "" {
		given["customerAccountType"] = e.PaymentInstrument.CustomerAccountType
	}
	a, err := s.do(action, ref, given, trace)
	s.tell(w, a, err)
}

// tell writes an answer of the JSON interface.
func (s *Server) tell(w http.ResponseWriter, a answer, err error) {
	if err != nil {
		http.Error(w, "<html><body>Internal Server Error</body></html>", http.StatusInternalServerError)
		return
	}
	if a.status != statusDone && !s.config.NestedErrors {
		flat(w, http.StatusBadRequest, a.status, a.message)
		return
	}
	out := map[string]any{
		"version":  "4.5",
		"merchant": map[string]string{"bin": Bin, "merchantID": DefaultMerchantID},
	}
	order := map[string]any{"status": map[string]string{"procStatus": a.status, "procStatusMessage": a.message}}
	owner := map[string]string{"customerRefNum": a.ref}
	card, account := map[string]string{}, map[string]string{}
	for name, v := range a.profile {
		switch {
		case name == "ccAccountNum", name == "ccExp":
			card[name] = v
		case strings.HasPrefix(name, "ecp"):
			account[name] = v
		case strings.HasPrefix(name, "orderDefault"):
			order[name] = v
		default:
			owner[name] = v
		}
	}
	if kind := owner["customerAccountType"]; kind != "" {
		delete(owner, "customerAccountType")
		instrument := map[string]any{"customerAccountType": kind}
		if len(card) > 0 {
			instrument["card"] = card
		}
		if len(account) > 0 {
			instrument["ecp"] = account
		}
		out["paymentInstrument"] = instrument
	}
	out["order"], out["profile"] = order, owner
	send(w, http.StatusOK, out)
}

// flat writes a refusal.
func flat(w http.ResponseWriter, code int, status, message string) {
	send(w, code, map[string]string{"procStatus": status, "procStatusMessage": message})
}

func send(w http.ResponseWriter, code int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	w.Write(b)
}
