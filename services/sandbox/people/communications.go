package people

// communications makes what the person agreed to be written about, and what was
// sent.
func (g *generator) communications() {
	email := g.who.Email
	g.add("preferences", email, map[string]any{
		"email": email, "language": g.who.Language, "marketing": true, "newsletter": true, "research": g.IntN(2) == 0, "shared": true, "in_product": true, "cookies": true, "agreed_at": at(g.recent()),
	})
	for range max(9, g.some(14)) {
		key := g.key("snd_")
		sent := g.recent()
		g.add("sent", key, map[string]any{
			"sending_id": key, "email": g.typed(), "purpose": pick(g, []string{"marketing", "newsletter", "research"}), "subject": g.note(),
			"sent_at": at(sent), "opened_at": g.nullable(at(sent)),
		})
	}
}
