package manifest

import (
	"errors"
	"strings"
	"testing"
)

// What a worker of its own reads comes as it is written, and what it doesn't
// know is refused with the place.
func TestWorkerSettings(t *testing.T) {
	t.Parallel()
	text := strings.Replace(shop(t), "    columns:", "    worker:\n      object: Contact\n      by: {email: [Email, Other]}\n      flags: [{column: A, value: true}]\n    columns:", 1)
	m, err := Parse("shop.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if refuses(t, schema(t), text) {
		t.Error("the schema refuses it")
	}
	var whole struct {
		Object string              `yaml:"object"`
		By     map[string][]string `yaml:"by"`
		Flags  []struct {
			Column string `yaml:"column"`
			Value  any    `yaml:"value"`
		} `yaml:"flags"`
	}
	if err := m.WorkerSettings(0, &whole); err != nil {
		t.Fatal(err)
	}
	if whole.Object != "Contact" || len(whole.By["email"]) != 2 || whole.Flags[0].Value != true {
		t.Fatalf("read as %+v", whole)
	}
	var part struct {
		Object string `yaml:"object"`
	}
	var bad *Error
	if err := m.WorkerSettings(0, &part); !errors.As(err, &bad) || bad.Line == 0 || !strings.Contains(bad.What, "field by not found") {
		t.Fatalf("got %v", err)
	}
	if err := m.WorkerSettings(1, &part); err != nil || part.Object == "x" {
		t.Fatalf("nothing is written there: %v", err)
	}
	for _, bad := range []string{"worker: Contact", "worker: {a: &x b, c: *x}", "worker: {a: 1, a: 2}", "worker: {on: 2026-11-24}"} {
		if _, err := Parse("shop.yaml", []byte(strings.Replace(text, "worker:\n", bad+"\n    later:\n", 1))); err == nil || strings.Contains(err.Error(), "later") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
