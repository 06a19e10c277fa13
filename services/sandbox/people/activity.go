package people

import (
	"math/rand/v2"
	"time"
)

// activity makes what is recorded by itself: devices and visits, and in them pages, searches,
// downloads and calls. Who has no account is known by cookies alone.
func (g *generator) activity() {
	account := g.accountOrNone()
	either := func() (by, cookie any) {
		switch g.IntN(3) {
		case 0:
			return nil, g.cookie()
		default:
			return account, g.cookie()
		}
	}
	for n := range browsersOf(g.who.Number) {
		cookie := g.population.CookieID(g.who.Number, n+1)
		g.add("devices", cookie, map[string]any{
			"cookie_id": cookie, "account_id": account, "kind": pick(g, []string{"desktop", "telephone"}), "system": pick(g, []string{"Linux", "Android", "macOS"}),
			"browser": personal("Firefox " + string(g.digits(3))), "language": g.who.Language, "seen_at": at(g.recent()),
		})
	}
	for range max(2, g.some(3)) {
		session, began := g.key("ses_"), g.recent()
		by, cookie := either()
		g.add("sessions", session, map[string]any{
			"session_id": session, "account_id": by, "cookie_id": cookie, "began_at": at(began), "ended_at": g.nullable(at(began.AddDate(0, 0, 1))),
			"address": personal("198.51.100." + string(g.digits(2))), "place": g.nullable(personal("Luxembourg")),
		})
		for range max(2, g.some(3)) {
			key := g.key("clk_")
			g.add("clicks", key, map[string]any{
				"click_id": key, "account_id": by, "cookie_id": cookie, "session_id": session, "clicked_at": at(began), "page": pick(g, pages), "seconds": int64(g.IntN(600)),
			})
		}
	}
	for range max(1, g.some(2)) {
		key := g.key("sea_")
		by, cookie := either()
		g.add("searches", key, map[string]any{
			"search_id": key, "account_id": by, "cookie_id": cookie, "searched_at": at(g.recent()), "words": g.note(), "results": int64(g.IntN(40)),
		})
	}
	if account == nil {
		return
	}
	for range g.some(5) {
		key := g.key("cal_")
		g.add("api_calls", key, map[string]any{
			"call_id": key, "account_id": account, "called_at": at(g.recent()), "operation": pick(g, operations), "status": int64(200 + 100*g.IntN(4)),
			"address": personal("203.0.113." + string(g.digits(2))),
		})
	}
	for range g.some(2) {
		key := g.key("dow_")
		g.add("downloads", key, map[string]any{
			"download_id": key, "account_id": account, "downloaded_at": at(g.recent()), "file": g.note(), "bytes": int64(g.IntN(1 << 30)),
		})
	}
}

var (
	pages      = []string{"/", "/pricing", "/docs/start", "/docs/network", "/console", "/support", "/compte", "/tarifs"}
	operations = []string{"ListMachines", "StartMachine", "StopMachine", "PutObject", "GetObject", "ListInvoices"}
)

// Stranger returns the n-th row of what strangers have done, from 0: of the lake's size, and
// of nobody whom the population knows. It is the same for the same seed.
func Stranger(seed, n int64) Row {
	r := rand.New(rand.NewPCG(uint64(seed), mix(uint64(n)^textHash(Activity))))
	who := r.IntN(20_000)
	account, cookie := token("acc_x", uint64(seed), who, 0), token("ck_x", uint64(seed), who, 1)
	key := func(prefix string) string { return token(prefix, uint64(seed), who, int(n)) }
	when := at(time.Unix(1_750_000_000+r.Int64N(40_000_000), 0))
	row := Row{System: Activity}
	switch k := r.IntN(100); {
	case k < 55:
		row.Dataset, row.Key = "clicks", key("clk_x")
		row.Values = map[string]any{"click_id": row.Key, "account_id": account, "cookie_id": cookie, "session_id": key("ses_y"), "clicked_at": when, "page": pick(r, pages), "seconds": r.Int64N(600)}
	case k < 80:
		row.Dataset, row.Key = "api_calls", key("cal_x")
		row.Values = map[string]any{"call_id": row.Key, "account_id": account, "called_at": when, "operation": pick(r, operations), "status": int64(200), "address": "203.0.113.7"}
	case k < 90:
		row.Dataset, row.Key = "sessions", key("ses_x")
		row.Values = map[string]any{"session_id": row.Key, "account_id": nil, "cookie_id": cookie, "began_at": when, "ended_at": when, "address": "198.51.100.7", "place": nil}
	case k < 95:
		row.Dataset, row.Key = "searches", key("sea_x")
		row.Values = map[string]any{"search_id": row.Key, "account_id": nil, "cookie_id": cookie, "searched_at": when, "words": pick(r, notes), "results": r.Int64N(40)}
	case k < 98:
		row.Dataset, row.Key = "downloads", key("dow_x")
		row.Values = map[string]any{"download_id": row.Key, "account_id": account, "downloaded_at": when, "file": pick(r, notes), "bytes": r.Int64N(1 << 30)}
	default:
		row.Dataset, row.Key = "devices", key("ck_z")
		row.Values = map[string]any{"cookie_id": row.Key, "account_id": account, "kind": "desktop", "system": "Linux", "browser": "Firefox", "language": "en", "seen_at": when}
	}
	return row
}
