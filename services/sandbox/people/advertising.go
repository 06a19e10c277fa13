package people

// CookieID returns the n-th cookie of a person, from 1, by which advertising knows their browser.
func (p *Population) CookieID(number, n int) string {
	if p.canary {
		return "ck_" + canary(number, "cookie_id-"+numberKey(int64(n)))
	}
	return token("ck_", p.seed, number, n)
}

// browsersOf returns how many browsers a person uses.
func browsersOf(number int) int { return 1 + number%2 }

// cookie returns one of the person's cookies.
func (g *generator) cookie() string {
	return g.population.CookieID(g.who.Number, 1+g.IntN(browsersOf(g.who.Number)))
}

// advertising makes what was chosen in each browser, the segments that the person was put
// into, and what was inferred. Some of it is known by the account, some by a cookie alone.
func (g *generator) advertising() {
	for n := range browsersOf(g.who.Number) {
		cookie := g.population.CookieID(g.who.Number, n+1)
		g.add("choices", cookie, map[string]any{
			"cookie_id": cookie, "account_id": g.nullable(g.who.AccountID), "interest_based": true, "measured": g.IntN(2) == 0, "chosen_at": at(g.recent()),
		})
	}
	known := func() (cookie, account any) {
		switch g.IntN(3) {
		case 0:
			return g.cookie(), nil
		case 1:
			return nil, g.who.AccountID
		default:
			return g.cookie(), g.who.AccountID
		}
	}
	for range max(1, g.some(6)) {
		key := g.key("seg_")
		cookie, account := known()
		g.add("segments", key, map[string]any{
			"membership_id": key, "cookie_id": cookie, "account_id": account, "segment": pick(g, segments), "joined_at": at(g.recent()), "active": true,
		})
	}
	for range g.some(5) {
		key := g.key("inf_")
		cookie, account := known()
		g.add("inferences", key, map[string]any{
			"inference_id": key, "cookie_id": cookie, "account_id": account, "topic": pick(g, segments), "score": g.money(1), "inferred_at": at(g.recent()),
		})
	}
}

var segments = []string{"Container hosting", "Small companies", "Games", "Migration", "Machine learning"}
