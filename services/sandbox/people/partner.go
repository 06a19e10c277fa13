package people

// partner makes the partner's account, the programmes that it takes part in, the contacts that
// it names, and what the account was before it was changed.
func (g *generator) partner() {
	id := g.key("par_")
	g.add("account", id, map[string]any{
		"partner_id": id, "account_id": g.accountOrNone(), "email": g.typed(), "contact_name": g.fullName(), "company": g.nullable(g.note()),
		"status": pick(g, []string{"applied", "active", "left"}), "joined_on": on(g.recent()), "news": true,
	})
	for range max(1, g.some(4)) {
		key, start := g.key("prg_"), g.recent()
		g.add("subscriptions", key, map[string]any{
			"subscription_id": key, "partner_id": id, "programme": pick(g, []string{"Resellers", "Solution builders", "Start-ups", "Service partners"}),
			"started_on": on(start), "ended_on": g.nullable(on(start.AddDate(1, 0, 0))),
		})
	}
	// The first is the partner, the second a colleague.
	for i := range 1 + g.some(3) {
		key := g.key("pct_")
		name, email := any(g.fullName()), any(g.typed())
		if i == 1 {
			name, email = ParticipantName, ParticipantEmail
		}
		g.add("contacts", key, map[string]any{
			"contact_id": key, "partner_id": id, "role": pick(g, []string{"sales", "technical", "billing"}), "name": name, "email": email,
		})
	}
	// N10: a change of the account leaves a copy of what it was before.
	for i := range g.some(3) {
		key := g.key("pve_")
		g.add("versions", key, map[string]any{
			"version_id": key, "partner_id": id, "version": int64(i + 1), "replaced_at": at(g.recent()),
			"email": personal("former" + numberKey(int64(i)) + "." + g.who.Email), "contact_name": g.fullName(), "company": g.nullable(g.note()), "status": "applied",
		})
	}
}
