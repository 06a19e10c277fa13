package people

// marketplace makes purchases, subscriptions of buyers, the seller's profile,
// its listings, and reviews.
func (g *generator) marketplace() {
	id := g.who.AccountID
	for range max(1, g.some(5)) {
		key := g.key("pur_")
		g.add("purchases", key, map[string]any{
			"purchase_id": key, "account_id": id, "product": pick(g, products), "bought_at": at(g.recent()),
			"amount": g.money(2000), "currency": "EUR", "licence_to": g.fullName(), "note": g.nullable(g.note()),
		})
	}
	for range g.some(3) {
		key := g.key("mks_")
		start := g.recent()
		g.add("subscriptions", key, map[string]any{
			"subscription_id": key, "account_id": id, "product": pick(g, products),
			"started_on": on(start), "ended_on": g.nullable(on(start.AddDate(0, 6, 0))), "seats": int64(1 + g.IntN(40)),
		})
	}
	for range g.some(5) {
		key := g.key("rev_")
		g.add("reviews", key, map[string]any{
			"review_id": key, "account_id": id, "product": pick(g, products), "author": g.fullName(),
			"stars": int64(1 + g.IntN(5)), "body": g.note(), "written_at": at(g.recent()),
		})
	}
	// One in four sells as well.
	if g.who.Number >= firstRandom && g.IntN(4) > 0 {
		return
	}
	seller := g.key("sel_")
	g.add("sellers", seller, map[string]any{
		"seller_id": seller, "account_id": id, "legal_name": g.fullName(), "bank_account": personal("FR76" + string(g.digits(23))),
		"identity_document": personal("P" + string(g.digits(8))), "verified": g.IntN(3) > 0, "status": pick(g, []string{"active", "paused"}),
		"since": on(g.recent()),
	})
	for range g.some(4) {
		key := g.key("lst_")
		g.add("listings", key, map[string]any{
			"listing_id": key, "seller_id": seller, "title": pick(g, products), "description": g.note(),
			"price": g.money(500), "published_at": g.nullable(at(g.recent())),
		})
	}
}

var products = []string{"Log shipper", "Image resizer", "Map tiles, Europe", "Backup \"Plus\"", "帳票テンプレート", "DNS failover"}
