package systems

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"gocloud.dev/blob/memblob"
	_ "gocloud.dev/blob/s3blob" // s3://
	"habeas.dev/pkg/sqlsystem"
)

// TestVersionsAreRefused: a bucket of S3 that keeps earlier versions, or did, isn't opened; one
// that keeps none, or doesn't say, is. The server is a stand-in that answers this one question.
func TestVersionsAreRefused(t *testing.T) {
	t.Parallel()
	for state, refused := range map[string]bool{"Enabled": true, "Suspended": true, "": false, "forbidden": false} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			asked := false
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = asked || r.URL.Query().Has("versioning")
				if state == "forbidden" {
					http.Error(w, `<Error><Code>AccessDenied</Code></Error>`, http.StatusForbidden)
					return
				}
				status := ""
				if state != "" {
					status = "<Status>" + state + "</Status>"
				}
				fmt.Fprintf(w, `<VersioningConfiguration>%s</VersioningConfiguration>`, status)
			}))
			defer server.Close()
			_, closer, err := openFiles(t.Context(), "s3://uploads?anonymous=true&region=eu-west-1&use_path_style=true&endpoint="+url.QueryEscape(server.URL))
			if (err != nil) != refused || !asked {
				t.Errorf("asked %t: %v", asked, err)
			}
			if err == nil {
				if err := closer(); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestFilesForgetOnce: folders and buckets hand out what lies in them until it is removed,
// and say then that there is nothing.
func TestFilesForgetOnce(t *testing.T) {
	t.Parallel()
	const name = "a/été 1:2.jpg"
	dir := t.TempDir()
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "a"), 0o700), os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte("x"), 0o600)); err != nil {
		t.Fatal(err)
	}
	folder, _, err := openFiles(t.Context(), "file://"+dir)
	if err != nil {
		t.Fatal(err)
	}
	mem := memblob.OpenBucket(nil)
	defer mem.Close()
	if err := mem.WriteAll(t.Context(), name, []byte("x"), nil); err != nil {
		t.Fatal(err)
	}
	for kind, files := range map[string]sqlsystem.Files{"folder": folder, "bucket": bucket{mem}} {
		in, err := files.Open(t.Context(), name)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		text, err := io.ReadAll(in)
		if err := errors.Join(err, in.Close()); err != nil || string(text) != "x" {
			t.Errorf("%s: %q, %v", kind, text, err)
		}
		if err := files.Remove(t.Context(), name); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		if _, err := files.Open(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", kind, err)
		}
		if err := files.Remove(t.Context(), name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
