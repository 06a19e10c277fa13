package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestHealthCommand: the exit status is the container's health, the line its cause.
func TestHealthCommand(t *testing.T) {
	t.Parallel()
	status, body := http.StatusOK, `{"status":"ok"}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	ask := func(code int, want string) {
		t.Helper()
		cmd := command(t.Context(), "health", server.URL+"/readyz")
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != code || !strings.Contains(string(out), want) {
			t.Errorf("%d, %s; want %d, %s", got, out, code, want)
		}
	}
	ask(0, "")
	status, body = http.StatusServiceUnavailable, `{"status":"failing","problems":["journal","habeas.intake: silent"]}`
	ask(1, "journal; habeas.intake: silent")
	status, body = http.StatusNotFound, "not here"
	ask(1, "404")
	server.Close()
	ask(1, "refused")
}
