package people

// What somebody else of the community is called, who is nobody of the population: one who
// answers posts, and writes messages.
const (
	NeighbourAccount = "acc_neighbour"
	NeighbourText    = "+1 👍, v1.29?"
)

// community makes the member's profile, posts and what they said before, messages, connections,
// answers to surveys, and testimonials.
func (g *generator) community() {
	id := g.who.AccountID
	g.add("profile", id, map[string]any{
		"account_id": id, "email": g.typed(), "display_name": personal(g.who.GivenName), "bio": g.nullable(g.note()), "joined_at": at(g.recent()),
	})
	var before any
	for i := range max(1, g.some(3)) {
		post, day := g.key("pst_"), g.recent()
		g.add("posts", post, map[string]any{
			"post_id": post, "account_id": id, "answers": before, "body": g.note(), "image": g.nullable(g.fileName("posts/"+post, ".png")), "posted_at": at(day),
		})
		// N10: a change of a post leaves a copy of what it said before.
		if i%2 == 0 {
			key := g.key("psv_")
			g.add("post_versions", key, map[string]any{"version_id": key, "post_id": post, "body": g.note(), "replaced_at": at(day.AddDate(0, 0, 1))})
		}
		before = post
	}
	for i := range g.some(4) {
		key := g.key("dms_")
		sender, recipient, body := any(id), any(NeighbourAccount), any(g.note())
		if i%2 == 1 {
			sender, recipient, body = NeighbourAccount, id, NeighbourText
		}
		g.add("messages", key, map[string]any{"message_id": key, "sender": sender, "recipient": recipient, "body": body, "sent_at": at(g.recent())})
	}
	if g.who.Number < firstRandom || g.IntN(2) == 0 {
		g.add("connections", id, map[string]any{"member": id, "other": NeighbourAccount, "since": at(g.recent())})
	}
	for range g.some(3) {
		key := g.key("sva_")
		account, email := any(id), any(g.typed())
		if g.IntN(3) == 0 {
			account = nil
		}
		g.add("answers", key, map[string]any{
			"answer_id": key, "email": email, "account_id": account, "survey": pick(g, []string{"Support 2025", "Roadmap 2026"}),
			"asked": "Question 1", "answer": g.nullable(g.note()), "answered_at": at(g.recent()), "usable": true,
		})
	}
	for range g.some(2) {
		key := g.key("tst_")
		g.add("testimonials", key, map[string]any{
			"testimonial_id": key, "account_id": id, "author": g.fullName(), "body": g.note(), "published": true, "given_at": at(g.recent()),
		})
	}
}
