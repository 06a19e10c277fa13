package portal

import "testing"

// TestNoLinkForWhatWasTyped: what a stranger typed beside a right isn't sent off by a button
// in the mail of the one whose address they gave.
func TestNoLinkForWhatWasTyped(t *testing.T) {
	t.Parallel()
	asks := draft{RequestID: "r", Email: "anna@example.com", Law: "EEA", Right: "access", Locale: "en"}
	if !asks.plain() || !(draft{RequestID: "r", Enters: true}).plain() {
		t.Error("who asks for a right alone, or follows a request, has no link")
	}
	for what, change := range map[string]func(*draft){
		"a correction":       func(d *draft) { d.Correct, d.Value = "contact.email", "mallory@example.net" },
		"an identifier":      func(d *draft) { d.Identifiers = []claim{{"phone", "+33612345678"}} },
		"another's address":  func(d *draft) { d.Theirs = "camille@example.com" },
		"on behalf":          func(d *draft) { d.OnBehalf = "agent" },
		"a message":          func(d *draft) { d.Message = "please" },
		"an earlier request": func(d *draft) { d.About = "x" },
		"one dataset":        func(d *draft) { d.What = "crm.people" },
	} {
		d := asks
		if change(&d); d.plain() {
			t.Errorf("%s has a link", what)
		}
	}
}
