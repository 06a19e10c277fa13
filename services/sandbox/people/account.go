package people

// account makes profile, contacts, credentials, logins and the archived
// versions of the profile.
func (g *generator) account() {
	id := g.who.AccountID
	created := g.instant(2012, 2019)
	organisation := any(nil)
	if g.who.Employer != "" {
		// Two colleagues hold the same text: it is no canary of one of them.
		organisation = g.who.Employer
	}
	g.add("profile", id, map[string]any{
		"account_id": id, "email": g.typed(), "phone": g.who.Phone,
		"given_name": personal(g.who.GivenName), "family_name": personal(g.who.FamilyName),
		"username": personal(g.who.Email[:1] + "_user" + string(g.digits(4))), "alias": g.nullable(g.note()),
		"postal_address": g.address(), "country": g.country(), "language": g.who.Language,
		"organisation": organisation, "role": pick(g, []string{"owner", "admin", "billing", "reader"}),
		"created_at": at(created),
	})
	for range g.some(3) {
		key := g.key("con_")
		g.add("contacts", key, map[string]any{
			"contact_id": key, "account_id": id, "kind": pick(g, []string{"billing", "operations", "security"}),
			"name": g.fullName(), "email": g.nullable(personal("team." + g.who.Email)), "phone": g.nullable(personal(g.who.Phone)),
			"note": g.note(),
		})
	}
	for i := range max(1, g.some(3)) {
		key := g.key("crd_")
		values := map[string]any{
			"credential_id": key, "account_id": id, "kind": "password", "label": "sign-in",
			"secret_hash": personal("$argon2id$" + string(g.digits(24))), "question": nil, "created_at": at(created),
		}
		switch i {
		case 1:
			values["kind"], values["label"] = "security-question", "recovery"
			values["question"] = personal("Name of the first pet?")
		case 2:
			values["kind"], values["label"] = "access-key", "deploy key"
		}
		g.add("credentials", key, values)
	}
	for range g.some(8) {
		n := g.number()
		g.add("logins", numberKey(n), map[string]any{
			"login_id": n, "account_id": id, "at": at(g.recent()), "ip": g.ip(),
			"user_agent": personal(pick(g, []string{"Mozilla/5.0 (X11; Linux x86_64)", "Mozilla/5.0 (Macintosh; \"Intel\")", "cli/2.4, go1.26"})),
			"successful": g.IntN(9) > 0,
		})
	}
	// N10: a change of the profile leaves a copy of what it was before.
	for i := range g.some(4) {
		key := g.key("ver_")
		g.add("profile_versions", key, map[string]any{
			"version_id": key, "account_id": id, "version": int64(i + 1), "replaced_at": at(g.recent()),
			"email": personal("former" + numberKey(int64(i)) + "." + g.who.Email), "phone": g.nullable(personal(g.who.Phone)),
			"given_name": personal(g.who.GivenName), "family_name": personal(g.who.FamilyName), "postal_address": g.address(),
			"settings": map[string]any{"theme": pick(g, []string{"dark", "light"}), "signature": g.note(), "beta": g.IntN(2) == 0, "seats": int64(g.IntN(9)), "tags": []any{"a,b", g.note()}},
		})
	}
	for n := range browsersOf(g.who.Number) {
		cookie := g.population.CookieID(g.who.Number, n+1)
		g.add("browsers", cookie, map[string]any{
			"cookie_id": cookie, "account_id": id, "user_agent": personal("Mozilla/5.0 (X11; Linux x86_64)"), "first_seen_at": at(g.recent()),
		})
	}
}
