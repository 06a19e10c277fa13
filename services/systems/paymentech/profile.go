package paymentech

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

const (
	pathProfile = "/gwapi/v4/gateway/profile/"
	version     = "4.5" // of the interface
	maxDepth    = 8     // of an answer; a profile has three
)

// profile is a stored profile: the raw values of its members, by name.
type profile map[string][]byte

// members reads all members of an answer that aren't objects, at whatever depth
// they stand: where the gateway puts which differs by version. The first that
// isn't empty counts.
func members(body []byte) (profile, error) {
	m := profile{}
	s := vendorapi.NewScanner(body)
	readMembers(s, m, 0)
	s.End()
	return m, s.Err()
}

func readMembers(s *vendorapi.Scanner, m profile, depth int) {
	s.Object(func(key []byte) {
		if s.IsObject() && depth < maxDepth {
			readMembers(s, m, depth+1)
			return
		}
		raw := s.Value()
		if old := m[string(key)]; len(old) == 0 || string(old) == `""` || string(old) == "null" {
			m[string(key)] = raw
		}
	})
}

// value returns a member as a record holds it: masked a second time, since escapes
// are undone by now.
func (p profile) value(name string) any {
	v := vendorapi.RecordValue(p[name])
	if text, ok := v.(string); ok {
		return maskedValue(name, text, text) // the reference was compared: see read
	}
	return v
}

// read asks for a profile; nil where there is none.
func (w *Worker) read(ctx context.Context, ref string) (p profile, err error) {
	header, err := w.header("")
	if err != nil {
		return nil, err
	}
	err = w.api.Do(ctx, vendorapi.Call{
		Name: "profile.read", Method: http.MethodGet, Header: header, Safe: true,
		Path: w.base + pathProfile + "version/" + version + "/bin/" + url.PathEscape(w.config.Bin) + "/customerrefnum/" + url.PathEscape(ref),
		Expect: vendorapi.One(func(a *vendorapi.Answer) (err error) {
			p, err = members(a.Body)
			switch named := vendorapi.Text(p["customerRefNum"]); {
			case err != nil:
				return err
			case named == "":
				return errors.New("the answer has no profile")
			case !strings.EqualFold(named, ref):
				return worker.Permanent("stranger", "PaymentTech answered with a profile of another reference than was asked for", nil)
			}
			return nil
		}),
	})
	if isNoProfile(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

func isNoProfile(err error) bool {
	return errors.Is(err, errNoProfile)
}

// delete deletes a profile. Of an answer that was lost it returns an error of
// [vendorapi.IsUnsure].
func (w *Worker) delete(ctx context.Context, t worker.Task, ref string) error {
	return w.change(ctx, "profile.delete", http.MethodDelete, t, ref, nil, false)
}

// update writes some members of a profile, and leaves the others. To write them
// twice is as good as once.
func (w *Worker) update(ctx context.Context, t worker.Task, ref string, values map[string]string) error {
	return w.change(ctx, "profile.update", http.MethodPut, t, ref, values, true)
}

func (w *Worker) change(ctx context.Context, name, method string, t worker.Task, ref string, values map[string]string, safe bool) error {
	sent := map[string]string{"customerRefNum": ref}
	for name, v := range values {
		sent[name] = v
	}
	body, err := json.Marshal(map[string]any{"version": version, "merchant": map[string]string{"bin": w.config.Bin}, "profile": sent})
	if err != nil {
		return fmt.Errorf("paymentech: write a profile: %w", err)
	}
	header, err := w.header(traceNumber(t, ref))
	if err != nil {
		return err
	}
	expect := vendorapi.One(func(a *vendorapi.Answer) error {
		m, err := members(a.Body)
		if named := vendorapi.Text(m["customerRefNum"]); err == nil && named != "" && !strings.EqualFold(named, ref) {
			return errors.New("the answer is about another profile")
		}
		return err
	})
	return w.api.Do(ctx, vendorapi.Call{Name: name, Method: method, Path: w.base + pathProfile, Header: header, Body: body, Safe: safe, Expect: expect})
}

// header returns the credentials, and the trace number of a change, by which the
// gateway recognises one that is made again. The password is read anew each time,
// so that it can be changed while the worker runs.
func (w *Worker) header(trace string) (http.Header, error) {
	password, err := w.config.Password.Read()
	if err != nil {
		return nil, worker.Permanent("no-secret", "PaymentTech's password can't be read: check client_secret_file", err)
	}
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set("Accept", "application/json")
	h.Set("orbitalConnectionUsername", w.config.Username)
	h.Set("orbitalConnectionPassword", password)
	h.Set("merchantID", w.config.MerchantID)
	if trace != "" {
		h.Set("Trace-number", trace)
		h.Set("Merchant-Id", w.config.MerchantID)
	}
	return h, nil
}

// traceNumber returns the trace number of one change within one attempt: the same
// if it is made again, on the other host or after a crash; another with the next
// attempt, for which the gateway must not repeat what it answered to this one. It
// has at most 16 digits and isn't zero.
func traceNumber(t worker.Task, ref string) string {
	h := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%d", t.RequestID, t.Action, ref, t.Attempt))
	const digits = 9_999_999_999_999_999
	return fmt.Sprint(binary.BigEndian.Uint64(h[:])%digits + 1)
}
