package people

// hubspot makes a contact: HubSpot has one of an address, and all its properties
// are texts.
func (g *generator) hubspot() {
	id := numberKey(g.number())
	g.add("contacts", id, map[string]any{
		"id": id, "email": g.who.Email, "hs_additional_emails": nil, "firstname": personal(g.who.GivenName), "lastname": personal(g.who.FamilyName),
		"phone": g.nullable(g.who.Phone), "company": g.nullable(personal(pick(g, employers))), "jobtitle": g.nullable(g.note()),
		"city": g.city(), "country": g.country(), "lifecyclestage": pick(g, []string{"subscriber", "lead", "customer"}),
		"createdate": at(g.recent()), "lastmodifieddate": at(g.recent()),
	})
}
