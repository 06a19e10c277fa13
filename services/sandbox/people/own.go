package people

import "fmt"

// Programs returns those of the Marketo instance, by id, whose members are seeded
// where a population has companies' own.
func Programs() []int64 { return []int64{1001, 1002, 1003} }

// marketoOwn makes what a company's Marketo holds beside the standard: records
// of an object of its own, which refer to an address, and memberships of
// programs with a field of its own.
func (g *generator) marketoOwn(leads []int64, email any) {
	for range g.some(2) {
		id := fmt.Sprintf("%08x-5b1c-4d0e", g.number())
		g.add("subscriptions", id, map[string]any{
			"marketoGUID": id, "emailAddress": email, "plan": pick(g, []string{"basic", "plus", "pro"}), "note": g.note(),
			"createdAt": at(g.recent()), "updatedAt": at(g.recent()),
		})
	}
	for _, lead := range leads {
		for _, program := range Programs() {
			if g.who.Number >= firstRandom && g.IntN(3) > 0 {
				continue
			}
			g.add("program_members", fmt.Sprintf("%d-%d", program, lead), map[string]any{
				"leadId": lead, "programId": program, "statusName": pick(g, []string{"Invited", "Registered", "Attended"}),
				"membershipDate": at(g.recent()), "reachedSuccess": g.IntN(2) == 0, "acquiredBy": false, "dietaryNeeds": g.nullable(g.note()),
			})
		}
	}
}

// salesforceOwn makes records of an object of the org's own: what a person has
// registered with the maker.
func (g *generator) salesforceOwn(contact string) {
	for range g.some(2) {
		id := sfID("a0R", g.number())
		g.add("registrations", id, map[string]any{
			"Id": id, "Name": "R-" + g.digits(6), "Contact__c": contact, "Product__c": pick(g, []string{"Kettle", "Toaster"}),
			"SerialNumber__c": "SN" + g.digits(8), "Note__c": g.nullable(g.note()), "CreatedDate": sfTime(g.recent()),
		})
	}
}
