package secret

import (
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gocloud.dev/runtimevar"
	"gocloud.dev/runtimevar/filevar"

	"habeas.dev/services/internal/config"
)

// opener stands in for a cloud's store: a file that gocloud.dev watches.
type opener struct{ file string }

func (o opener) OpenVariableURL(ctx context.Context, u *url.URL) (*runtimevar.Variable, error) {
	decoder, err := runtimevar.DecoderByName(ctx, u.Query().Get("decoder"), nil)
	if err != nil {
		return nil, err
	}
	return filevar.OpenVariable(o.file, decoder, nil)
}

// TestStoreIsReadAnew: a secret that is changed in its store is the new one, with
// nothing opened again.
func TestStoreIsReadAnew(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "store")
	put := func(content string) {
		t.Helper()
		if err := os.WriteFile(file+".new", []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(file+".new", file); err != nil {
			t.Fatal(err)
		}
	}
	put("hunter2\n")
	var stores runtimevar.URLMux
	stores.RegisterVariable("somestore", opener{file})
	s, closer, err := open(t.Context(), Place{Store: "somestore://habeas/marketo?token=hunter3"}, &stores)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := closer(); err != nil {
			t.Error(err)
		}
	}()
	if got, err := s.Read(); err != nil || got != "hunter2" {
		t.Fatalf("%q, %v", got, err)
	}
	if shown := s.String(); strings.Contains(shown, "hunter") || !strings.Contains(shown, "somestore://habeas/marketo") {
		t.Error(shown)
	}
	put("changed")
	deadline, beat := time.After(time.Minute), time.NewTicker(10*time.Millisecond)
	defer beat.Stop()
	for {
		got, err := s.Read()
		if err != nil {
			t.Fatal(err)
		}
		if got == "changed" {
			return
		}
		select {
		case <-beat.C:
		case <-deadline:
			t.Fatalf("it is still %q", got)
		}
	}
}

// TestVariableIsReadAnew: of the environment too.
func TestVariableIsReadAnew(t *testing.T) {
	t.Setenv("HABEAS_TEST_SECRET", "one")
	s, _, err := Open(t.Context(), Place{Env: "HABEAS_TEST_SECRET"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"one", "two"} {
		t.Setenv("HABEAS_TEST_SECRET", want)
		if got, err := s.Read(); err != nil || got != want {
			t.Errorf("%q, %v", got, err)
		}
	}
}

// TestCheck: what is missing is named, by its field, and what may be a secret
// isn't repeated.
func TestCheck(t *testing.T) {
	t.Setenv("HABEAS_TEST_SECRET", "hunter2")
	t.Setenv("HABEAS_TEST_EMPTY", " ")
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("hunter2"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		place Place
		want  string // in the error; empty: none
	}{
		{Place{}, ""},
		{Place{File: file}, ""},
		{Place{Env: "HABEAS_TEST_SECRET"}, ""},
		{Place{File: file + ".not"}, "x_file: open"},
		{Place{Env: "HABEAS_TEST_EMPTY"}, "x_env: the environment has no variable HABEAS_TEST_EMPTY"},
		{Place{Env: "hunter2-$"}, "x_env: write the name"},
		{Place{Env: "hunter2"}, "x_env: write the name"},
		{Place{Store: "hunter2"}, "x_store: it is not the address"},
		{Place{Store: "nosuchstore://hunter2"}, "x_store: there is no driver for nosuchstore://"},
		{Place{File: file, Env: "HABEAS_TEST_SECRET"}, "leave one"},
	} {
		err := c.place.Check("x")
		switch {
		case c.want == "":
			if err != nil {
				t.Errorf("%+v: %v", c.place, err)
			}
		case err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hunter2"):
			t.Errorf("%+v: %v", c.place, err)
		}
	}
	for _, bad := range []Place{{Env: "hunter2"}, {Store: "hunter2"}, {Store: "nosuchstore://hunter2"}} {
		if _, _, err := Open(t.Context(), bad); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	signIn, key := PlacesOf(config.System{ClientSecretEnv: "A", Options: map[string]string{"key_store": "s://b"}})
	if signIn != (Place{Env: "A"}) || key != (Place{Store: "s://b"}) {
		t.Errorf("%+v, %+v", signIn, key)
	}
}
