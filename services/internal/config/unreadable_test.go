package config

import (
	"strings"
	"testing"
)

// TestUnreadable: what can't be read is told by its line and what to write instead, without a
// word of the program's own types, and without the value.
func TestUnreadable(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"lisen: 127.0.0.1:8":                `line 1: there is no setting "lisen" here; is "listen" meant?`,
		"data: x\nkafka: {brockers: [a:1]}": `line 2: there is no setting "brockers" here; is "brokers" meant?`,
		"zyxwvut: 1":                        `line 1: there is no setting "zyxwvut" here; docs/operate.md lists them`,
		"- a\n- b":                          "line 1: a list stands where a block of settings (NAME: VALUE, indented) belongs",
		"lease: [hunter2]":                  "line 1: a list stands where a duration, such as 10m belongs",
		"lease: 10":                         "line 1: a number stands where a duration, such as 10m belongs",
		"per_person: hunter2":               "line 1: a text stands where a number belongs",
		"laws: hunter2":                     "line 1: a text stands where a list, such as [a, b] belongs",
		"console: {local: hunter2}\nproof: [a, b]": "line 1: a text stands where true or false belongs; line 2: a list stands where a text belongs",
	} {
		_, err := Load(file(t, text+"\n"))
		if err == nil || !strings.HasSuffix(err.Error(), ": "+want) {
			t.Errorf("%q: %v", text, err)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n")) {
			t.Errorf("%q: %v tells the value, or has several lines", text, err)
		}
	}
}
