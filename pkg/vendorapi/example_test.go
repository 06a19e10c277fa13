package vendorapi_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"

	"habeas.dev/pkg/vendorapi"
	"habeas.dev/pkg/worker"
)

// readReply reads an answer of the vendor's own form, {"error": CODE} where it went wrong.
func readReply(a *vendorapi.Answer) (r vendorapi.Reply) {
	s := vendorapi.NewScanner(a.Body)
	s.Object(func(key []byte) {
		r.Own = true
		if string(key) == "error" {
			r.Code = s.String()
		} else {
			s.Skip()
		}
	})
	return r
}

// A vendor is described by its own codes; what each call expects is what its answer
// must account for.
func Example() {
	answers := make(chan string, 3)
	answers <- `{"error": "BUSY"}` // asked again in place
	answers <- `{"loans": 2}`
	answers <- `{"error": "NO_SCOPE"}`
	vendor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, <-answers) }))
	defer vendor.Close()
	client, err := vendorapi.New(vendorapi.Config{Vendor: "Library", Parse: readReply, Codes: vendorapi.Codes{
		"BUSY":     vendorapi.Passing(0, "busy", "the library asks for fewer calls"),
		"NO_SCOPE": vendorapi.Final("no-permission", "give the integration user access to loans"),
	}, Access: vendorapi.Access{}.Or(vendorapi.Access{})})
	if err != nil {
		log.Fatal(err)
	}
	var body string
	call := vendorapi.Call{Name: "loans.count", Method: http.MethodGet, Path: vendor.URL + "/loans", Safe: true,
		Expect: vendorapi.One(func(a *vendorapi.Answer) error { body = string(a.Body); return nil })}
	fmt.Println(client.Do(context.Background(), call), body)
	var needsAPerson *worker.Error
	fmt.Println(errors.As(client.Do(context.Background(), call), &needsAPerson), needsAPerson.Permanent(), needsAPerson.Code)
	// Output:
	// <nil> {"loans": 2}
	// true true no-permission
}
