package paymentech

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
	sandbox "habeas.dev/services/sandbox/paymentech"
)

func TestMasked(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		``:                                      ``,
		`{"ccAccountNum":"4111111111111111"}`:   `{"ccAccountNum":"************1111"}`,
		`{"ccAccountNum": 4111111111111111 }`:   `{"ccAccountNum": "************1111" }`,
		`[4111111111111111,1]`:                  `["************1111",1]`,
		`{"n":"4111-1111 1111-1111 of 2029"}`:   `{"n":"****-**** ****-1111 of 2029"}`,
		`{"n":"4111  1111"}`:                    `{"n":"4111  1111"}`,
		`{"n":"\u0034111111111111111"}`:         `{"n":"************1111"}`,
		`{"n":"\\u0034x4111111111111111"}`:      `{"n":"\\u0034x************1111"}`,
		`{"customerRefNum":"123456789012345"}`:  `{"customerRefNum":"123456789012345"}`, // asked by it
		`{"customerRefNum":"4111111111111111"}`: `{"customerRefNum":"************1111"}`,
		`{"customerPhone":"00352691123456"}`:    `{"customerPhone":"00352691123456"}`,
		`{"customerPhone":"4111111111111111"}`:  `{"customerPhone":"************1111"}`,
		`{"ecpCheckDDA":"00123456"}`:            `{"ecpCheckDDA":"****3456"}`,
		`{"ecpCheckDDA":"123"}`:                 `{"ecpCheckDDA":"123"}`,
		`{"a":"4111111111111111`:                `{"a":"************1111`,
		`<CCAccountNum>4111111111111111</CC>`:   `<CCAccountNum>************1111</CC>`,
		`card 378282246310005 declined`:         `card ***********0005 declined`,
		`{"a\"4111111111111111":"b"}`:           `{"a\"4111111111111111":"b"}`, // a name is the gateway's word
	} {
		if got := string(masked([]byte(in), "123456789012345")); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

// TestMaskedLeavesJSONWhole: whatever JSON comes, what is masked is JSON still,
// and no value in it has twelve digits together.
func TestMaskedLeavesJSONWhole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`[1-9][0-9]{0,24}`)
		texts := rapid.OneOf(rapid.String(), digits, rapid.StringMatching(`([0-9]{1,5}[ -]){1,6}[0-9]{4}`))
		value := rapid.OneOf(rapid.Custom(func(t *rapid.T) any { return texts.Draw(t, "text") }),
			rapid.Custom(func(t *rapid.T) any { return json.Number(digits.Draw(t, "number")) }))
		in := map[string]any{}
		for i := range rapid.IntRange(0, 5).Draw(t, "members") {
			in[fmt.Sprint("m", i)] = map[string]any{"inner": []any{value.Draw(t, "value"), value.Draw(t, "value")}}
		}
		b, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		out := masked(b, "")
		if !json.Valid(out) {
			t.Fatalf("%s\nbecame\n%s", b, out)
		}
		var back any
		if err := json.Unmarshal(out, &back); err != nil {
			t.Fatal(err)
		}
		if run := longestRun(string(out)); run >= minCard {
			t.Fatalf("%d digits together in %s", run, out)
		}
		cut := b[:rapid.IntRange(0, len(b)).Draw(t, "cut")]
		if run := longestRun(string(masked(cut, ""))); run >= minCard {
			t.Fatalf("%d digits together in half an answer", run)
		}
	})
}

func longestRun(s string) (longest int) {
	run := 0
	for i, c := range s {
		switch {
		case c >= '0' && c <= '9':
			run++
		case (c == ' ' || c == '-') && i > 0 && s[i-1] != ' ' && s[i-1] != '-':
		default:
			run = 0
		}
		longest = max(longest, run)
	}
	return longest
}

// TestNoCardNumberGetsOut: with a canary card number in every kind of answer,
// headers included, neither what the worker reports nor the sealed detail of its
// errors holds more than the last four digits of it.
func TestNoCardNumberGetsOut(t *testing.T) {
	t.Parallel()
	const card = "4000419876543213"
	whole := `{"order":{"status":{"procStatus":"%s","procStatusMessage":"of card ` + card + `"}},"profile":{"customerRefNum":"A1","customerName":"` + card +
		`","customerPhone":"` + card + `","status":"A"},"paymentInstrument":{"card":{"ccAccountNum":"` + card + `","other":` + card + `}}}`
	answers := map[string]http.HandlerFunc{
		"a profile": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, whole, "0") },
		"with escapes": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, strings.ReplaceAll(fmt.Sprintf(whole, "0"), card, `\u0034000\u0034`+card[5:]))
		},
		"refused":    func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, whole, "841") },
		"resend":     func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, whole, "9999") },
		"no profile": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, whole, StatusNoProfile) },
		"another profile": func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, strings.Replace(fmt.Sprintf(whole, "0"), "A1", card, 1))
		},
		"half": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, fmt.Sprintf(whole, "0")[:260]) },
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100000")
			fmt.Fprintf(w, whole, "0")
			panic(http.ErrAbortHandler)
		},
		"a proxy's page": func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<html>"+card+"</html>", http.StatusBadGateway)
		},
		"not JSON":    func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, card) },
		"XML":         func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<CCAccountNum>"+card+"</CCAccountNum>") },
		"too many":    func(w http.ResponseWriter, _ *http.Request) { http.Error(w, card, http.StatusTooManyRequests) },
		"credentials": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, card, http.StatusPreconditionFailed) },
		"elsewhere": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://localhost/"+card, http.StatusFound)
		},
		"too large": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat(card+" ", maxAnswer/16)) },
	}
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("X-Card", card)
				answer(w, r)
			}))
			t.Cleanup(ts.Close)
			w := newFixture(t, func(_ *sandbox.Config, c *Config) { c.BaseURL = ts.URL })
			told := []string{}
			see := func(v any, err error) {
				told = append(told, fmt.Sprintf("%+v", v))
				for ; err != nil; err = errors.Unwrap(err) {
					told = append(told, err.Error())
				}
			}
			p, err := w.worker.read(t.Context(), "A1")
			for name := range p {
				see(p.value(name), nil)
				see(string(p[name]), nil)
			}
			see(nil, err)
			see(w.plan(t.Context(), task(dsar.Plan, dsar.Erasure, "A1")))
			see(w.worker.erase(t.Context(), erasing(task(dsar.Erase, dsar.Erasure, "A1"), nil)))
			see(w.worker.restrict(t.Context(), task(dsar.Restrict, dsar.Restriction, "A1")))
			see(w.worker.rectify(t.Context(), task(dsar.Rectify, dsar.Rectification, "A1"), []worker.Change{{Dataset: datasetProfiles, Column: "customerCity", Value: "Lyon"}}))
			err = w.worker.api.Do(context.WithoutCancel(t.Context()), vendorapi.Call{Method: http.MethodGet, Path: w.worker.base + "/", Safe: true, Expect: vendorapi.One(func(a *vendorapi.Answer) error {
				see(string(a.Body)+fmt.Sprint(a.Header), nil)
				return nil
			})})
			see(nil, err)
			if text := strings.Join(told, "\n"); strings.Contains(text, card[:len(card)-4]) {
				t.Errorf("the card number is in\n%s", text)
			}
		})
	}
}
