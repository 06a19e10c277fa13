package people

import "fmt"

// marketo makes leads and their activities. An address can have several leads:
// Camille's has two, and so has one in eight of the others.
func (g *generator) marketo() {
	leads := 1
	if g.who.Number == Camille {
		leads = 2
	} else if g.who.Number >= firstRandom && g.IntN(8) == 0 {
		leads = 2 + g.IntN(2)
	}
	var ids []int64
	for range leads {
		lead := g.number()
		ids = append(ids, lead)
		g.add("leads", numberKey(lead), map[string]any{
			"id": lead, "firstName": personal(g.who.GivenName), "lastName": personal(g.who.FamilyName), "email": g.typed(),
			"phone": g.nullable(g.who.Phone), "company": g.nullable(personal(pick(g, employers))), "title": g.nullable(g.note()),
			"city": g.city(), "country": g.country(), "leadSource": pick(g, []string{"Web form", "Bought list", "Event"}),
			"leadScore": int64(g.IntN(100)), "unsubscribed": g.IntN(3) == 0, "unsubscribedReason": g.nullable(g.note()),
			"doNotCall": g.IntN(5) == 0, "createdAt": at(g.recent()), "updatedAt": at(g.recent()),
		})
		for range g.some(18 / leads) {
			id := g.number()
			kind := pick(g, activityKinds)
			g.add("activities", numberKey(id), map[string]any{
				"id": id, "marketoGUID": numberKey(id), "leadId": lead, "activityDate": at(g.recent()), "activityTypeId": kind.id,
				"primaryAttributeValueId": int64(1 + g.IntN(50)), "primaryAttributeValue": personal(fmt.Sprintf("%s for %s", kind.primary, g.who.GivenName)),
				"attributes": []any{
					map[string]any{"name": kind.attribute, "value": g.note()},
					map[string]any{"name": "Client IP Address", "value": g.ip()},
				},
			})
		}
	}
	if g.population.own {
		g.marketoOwn(ids, g.typed())
	}
}

// activityKinds are some of Marketo's standard activity types.
var activityKinds = []struct {
	id                 int64
	primary, attribute string
}{
	{1, "Visit Webpage", "Query Parameters"},
	{2, "Fill Out Form", "Form Fields"},
	{6, "Send Email", "Campaign Run ID"},
	{10, "Open Email", "Device"},
	{11, "Click Email", "Link"},
	{13, "Change Data Value", "New Value"},
}
