package vendorapi_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"habeas.dev/pkg/vendorapi"
)

func TestSecretIsReadAnew(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secret")
	s := vendorapi.SecretFile(file)
	if _, err := s.Read(); err == nil {
		t.Error("a file that isn't there")
	}
	for content, want := range map[string]string{"one\n": "one", " two ": "two"} {
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Read(); err != nil || got != want {
			t.Errorf("%q, %v", got, err)
		}
	}
	for _, bad := range []string{"", " \n", strings.Repeat("x", 70<<10)} {
		if err := os.WriteFile(file, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Read(); err == nil {
			t.Errorf("%.10q is taken", bad)
		}
	}
	if _, err := vendorapi.SecretEnv("HABEAS_NO_SUCH_VARIABLE").Read(); err == nil {
		t.Error("a variable that isn't set")
	}
	if _, err := (vendorapi.Secret{}).Read(); err == nil {
		t.Error("none")
	}
}

// TestSecretIsNotPrinted: in whatever way it is printed.
func TestSecretIsNotPrinted(t *testing.T) {
	t.Parallel()
	s := vendorapi.SecretValue("hunter2")
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "secret", s, "in", struct{ S vendorapi.Secret }{s})
	j, err := json.Marshal(map[string]any{"s": s, "in": struct{ S vendorapi.Secret }{s}})
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprint(s), fmt.Sprintf("%v %+v %#v %s %q %d %x", s, s, s, s, s, s, s), fmt.Sprintf("%+v %#v", struct{ S vendorapi.Secret }{s}, struct{ S vendorapi.Secret }{s}), log.String(), string(j)} {
		if strings.Contains(shown, "hunter2") {
			t.Error(shown)
		}
	}
	if v, err := s.Read(); err != nil || v != "hunter2" {
		t.Error(v, err)
	}
}
