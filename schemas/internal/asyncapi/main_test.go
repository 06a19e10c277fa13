package main

import (
	"bytes"
	"testing"

	"habeas.dev/schemas"
)

// TestWritten: asyncapi.yaml says of the facts what their schemas say.
func TestWritten(t *testing.T) {
	t.Parallel()
	text, err := schemas.AsyncAPI()
	if err != nil {
		t.Fatal(err)
	}
	if want, err := write(text); err != nil || !bytes.Equal(text, want) {
		t.Errorf("asyncapi.yaml is out of date (%v): run go generate ./schemas/...", err)
	}
	if all, err := facts(); err != nil || len(all) < 20 {
		t.Errorf("%d facts, %v", len(all), err)
	}
}
