package people

import (
	"time"
)

// sfTime returns how Salesforce's REST interface writes an instant.
func sfTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000+0000") }

// sfID makes a Salesforce id of 18 characters: the object's prefix of three, a
// number in base 62, and three letters that tell the case of the other 15.
func sfID(prefix string, n int64) string {
	const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	id := []byte(prefix + "5g0000000000")
	for i := 14; n > 0; i-- {
		id[i] = digits[n%62]
		n /= 62
	}
	const checks = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
	for block := range 3 {
		var bits int
		for i := range 5 {
			if c := id[block*5+i]; c >= 'A' && c <= 'Z' {
				bits |= 1 << i
			}
		}
		id = append(id, checks[bits])
	}
	return string(id)
}

// salesforce makes contacts, leads, cases with comments, tasks, events, campaign
// members and what hangs on them. Now and then a person is there twice, or as a
// person account.
func (g *generator) salesforce() {
	first, case1 := "", ""
	individual := any(nil)
	if g.who.Number < firstRandom || g.who.Number%2 == 0 {
		individual = sfID("0PK", int64(g.who.Number)*maxRowsOfPerson)
	}
	twice := g.who.Number == Camille || g.who.Number >= firstRandom && g.IntN(10) == 0
	contacts := 1
	if twice {
		contacts = 2
	}
	for c := range contacts {
		contact := sfID("003", g.number())
		if c == 0 {
			first = contact
		}
		g.add("contacts", contact, map[string]any{
			"Id": contact, "FirstName": personal(g.who.GivenName), "LastName": personal(g.who.FamilyName), "Email": g.typed(),
			"Phone": g.nullable(g.who.Phone), "MobilePhone": nil, "Title": personal(pick(g, []string{"Engineer", "Head of \"Data\"", "Buyer, indirect"})),
			"Department": g.nullable("Operations"), "MailingStreet": g.address(), "MailingCity": g.city(),
			"MailingPostalCode": g.digits(5), "MailingCountry": g.country(), "HasOptedOutOfEmail": g.IntN(3) == 0, "DoNotCall": g.IntN(5) == 0,
			"Description": g.nullable(g.note()), "CreatedDate": sfTime(g.recent()), "LastModifiedDate": sfTime(g.recent()),
			"IndividualId": individual,
		})
		if c > 0 {
			continue // the second one has nothing of its own
		}
		for i := range g.some(3) {
			opened := g.recent()
			id := sfID("500", g.number())
			if i == 0 {
				case1 = id
			}
			g.add("cases", id, map[string]any{
				"Id": id, "CaseNumber": "0" + numberKey(int64(g.who.Number)*10+int64(i)), "ContactId": contact,
				"SuppliedName": g.nullable(g.fullName()), "SuppliedEmail": g.nullable(g.who.Email), "SuppliedPhone": nil,
				"Subject": g.note(), "Description": g.note(), "Status": pick(g, []string{"New", "Working", "Closed"}),
				"Origin": pick(g, []string{"Email", "Phone", "Web"}), "Priority": "Medium",
				"CreatedDate": sfTime(opened), "ClosedDate": g.nullable(sfTime(opened.AddDate(0, 0, 9))),
			})
			for range min(2, g.some(2)) {
				comment := sfID("00a", g.number())
				g.add("case_comments", comment, map[string]any{
					"Id": comment, "ParentId": id, "CommentBody": g.note(), "IsPublished": g.IntN(2) == 0, "CreatedDate": sfTime(opened.AddDate(0, 0, 1)),
				})
			}
		}
		for range g.some(3) {
			id := sfID("00T", g.number())
			g.add("tasks", id, map[string]any{
				"Id": id, "WhoId": contact, "Subject": pick(g, []string{"Call", "Send quote", "E-mail: \"renewal\""}), "Description": g.note(),
				"Status": pick(g, []string{"Completed", "Not Started"}), "Priority": "Normal", "ActivityDate": g.nullable(on(g.recent())), "CreatedDate": sfTime(g.recent()),
			})
		}
		for range g.some(1) {
			id := sfID("00U", g.number())
			start := g.recent()
			g.add("events", id, map[string]any{
				"Id": id, "WhoId": contact, "Subject": "Meeting", "Description": g.note(), "Location": g.city(),
				"StartDateTime": sfTime(start), "EndDateTime": sfTime(start.Add(time.Hour)), "CreatedDate": sfTime(start.AddDate(0, 0, -7)),
			})
		}
		for range g.some(2) {
			g.campaignMember(contact, nil)
		}
	}
	for i := range g.some(1) {
		lead := sfID("00Q", g.number())
		g.add("leads", lead, map[string]any{
			"Id": lead, "FirstName": personal(g.who.GivenName), "LastName": personal(g.who.FamilyName), "Company": personal(pick(g, employers)),
			"Title": nil, "Email": g.typed(), "Phone": g.nullable(g.who.Phone), "City": g.city(), "Country": g.country(),
			"Status": pick(g, []string{"Open - Not Contacted", "Working - Contacted"}), "LeadSource": pick(g, []string{"Web", "Trade Show", "Bought list"}),
			"Rating": g.nullable("Warm"), "IsConverted": false, "ConvertedContactId": nil, "HasOptedOutOfEmail": g.IntN(3) == 0,
			"Description": g.nullable(g.note()), "CreatedDate": sfTime(g.recent()), "LastModifiedDate": sfTime(g.recent()),
		})
		if i == 0 {
			g.campaignMember(nil, lead)
		}
	}
	g.salesforceMore(first, case1, individual)
	if g.population.own {
		g.salesforceOwn(first)
	}
}

func (g *generator) campaignMember(contact, lead any) {
	id := sfID("00v", g.number())
	g.add("campaign_members", id, map[string]any{
		"Id": id, "CampaignId": sfID("701", int64(1+g.IntN(30))), "ContactId": contact, "LeadId": lead,
		"Status": pick(g, []string{"Sent", "Responded"}), "HasResponded": g.IntN(2) == 0,
		"FirstRespondedDate": g.nullable(on(g.recent())), "CreatedDate": sfTime(g.recent()),
	})
}
