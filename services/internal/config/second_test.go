package config

import (
	"strings"
	"testing"

	"habeas.dev/services/internal/core"
)

// TestFourEyesAreTheCores: what the core knows can be configured, and nothing else; and not
// where everybody is one person.
func TestFourEyesAreTheCores(t *testing.T) {
	t.Parallel()
	var all []string
	for _, kind := range core.FourEyesKinds() {
		all = append(all, string(kind))
	}
	list := strings.Join(all, ", ")
	for text, wrong := range map[string]string{
		"four_eyes: [" + list + "]": "",
		"four_eyes: [all]":          "none of " + list,
		"four_eyes: [reveals]\nconsole: {listen: \"127.0.0.1:8\", local: true}": "console.oidc",
	} {
		_, err := Load(file(t, text+"\n"))
		if (wrong == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
