package salesforce

import (
	"encoding/json"
	"net/http"
	"strconv"
)

// apiError is an error of a whole call: a list of one, with errorCode.
type apiError struct {
	status  int
	code    string
	message string
	fields  []string
}

func (e apiError) json() []byte {
	b, _ := json.Marshal([]struct {
		Message string   `json:"message"`
		Code    string   `json:"errorCode"`
		Fields  []string `json:"fields,omitempty"`
	}{{e.message, e.code, e.fields}})
	return b
}

// itemError is an error of one record in a collection call: with statusCode.
type itemError struct {
	Status  string   `json:"statusCode"`
	Message string   `json:"message"`
	Fields  []string `json:"fields"`
}

// itemResult is what a collection call says of one record.
type itemResult struct {
	ID      string      `json:"id,omitempty"`
	Success bool        `json:"success"`
	Errors  []itemError `json:"errors"`
}

func succeeded(id string) itemResult {
	return itemResult{ID: id, Success: true, Errors: []itemError{}}
}

func failed(id, status, message string, fields ...string) itemResult {
	if fields == nil {
		fields = []string{}
	}
	return itemResult{ID: id, Errors: []itemError{{status, message, fields}}}
}

// answer is what one call, or one subrequest of a Composite, is told.
type answer struct {
	status int
	body   []byte
	kind   string // media type; JSON where empty
	header map[string]string
}

func refuse(e *apiError) answer { return answer{status: e.status, body: e.json()} }

func reply(v any) answer {
	b, err := json.Marshal(v)
	if err != nil {
		return refuse(&apiError{status: http.StatusInternalServerError, code: "UNKNOWN_EXCEPTION", message: "An unexpected error occurred."})
	}
	return answer{status: http.StatusOK, body: b}
}

func itoa(n int) string { return strconv.Itoa(n) }
