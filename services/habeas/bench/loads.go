package bench

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/services/habeas/upstream"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/journal"
	"habeas.dev/services/sandbox/people"
)

// The titles of the loads, as --load names them and tables show them.
const (
	NineAccess  = "nine-access"
	NineErasure = "nine-erasure"
	ShopAccess  = "shop-access"
	ShopErasure = "shop-erasure"
)

// Loads lists every load. The erasures come after the accesses of the same people:
// what is erased can't be asked for.
func Loads() []string { return []string{NineAccess, NineErasure, ShopAccess, ShopErasure} }

// load is many requests at once.
type load struct {
	name     string
	title    string
	requests []upstream.Request
}

// rig is an installation, and the loads that are put on it.
type rig struct {
	config config.Config
	loads  []load
}

const (
	sandboxSeed = 1
	// sandboxPeople is the nine systems' population: large enough that the erasures
	// of one run are all of people who hold something.
	sandboxPeople = 2000
	// heavyRows is how many records somebody holds who is asked for by the accesses:
	// fifteen in each system.
	heavyRows = 135
)

func (c Config) people() int { return cmp.Or(c.People, sandboxPeople) }

// nine returns the systems of these loads. The sandbox has more, and figures are compared
// with those of programs whose sandbox had these.
func nine() []string {
	return []string{
		people.Account, people.Billing, people.Marketplace, people.Events, people.Support, people.Communications,
		people.Salesforce, people.Marketo, people.PaymentTech,
	}
}

// nineSystems returns the sandbox: nine systems, six of them databases and three vendors.
func (c Config) nineSystems(dir string) (rig, error) {
	cfg, err := blank(dir)
	if err != nil {
		return rig{}, err
	}
	cfg.Sandbox = &config.Sandbox{Seed: sandboxSeed, People: c.people(), Systems: nine(), WithoutFiles: true}
	holders := c.holders()
	erasures := requests(dsar.Erasure, min(c.Erasures, len(holders)), func(i int) string { return holders[i].email })
	return rig{cfg, []load{
		{NineAccess, "Access, nine systems", c.accesses(c.Accesses)},
		{NineErasure, "Erasure, nine systems", erasures},
	}}, nil
}

// holder is somebody with an account in the sandbox, and how many records there are
// of them.
type holder struct {
	email string
	rows  int
}

// holders returns everybody who has an account; who holds most comes first.
func (c Config) holders() []holder {
	population := people.Generate(people.Config{Seed: sandboxSeed, People: c.people(), Own: true})
	var holders []holder
	for _, p := range population.People {
		if p.AccountID != "" {
			h := holder{email: p.Email}
			for _, system := range nine() {
				h.rows += len(population.RowsIn(p.Number, system))
			}
			holders = append(holders, h)
		}
	}
	slices.SortStableFunc(holders, func(a, b holder) int { return cmp.Compare(b.rows, a.rows) })
	return holders
}

// accesses makes requests of the few people of the sandbox who hold very much.
func (c Config) accesses(count int) []upstream.Request {
	holders := c.holders()
	heavy := slices.IndexFunc(holders, func(h holder) bool { return h.rows <= heavyRows })
	return requests(dsar.Access, count, func(i int) string { return holders[i%heavy].email })
}

// oneSystem returns the shop: one database, served from a manifest alone.
func (c Config) oneSystem(ctx context.Context, dir string) (rig, error) {
	cfg, err := blank(dir)
	if err != nil {
		return rig{}, err
	}
	shop, err := makeShop(ctx, dir, c.ShopDatabase, max(c.ShopRequests, 1))
	if err != nil {
		return rig{}, err
	}
	cfg.Systems = map[string]config.System{shopName: shop}
	return rig{cfg, []load{
		{ShopAccess, "Access, one database", requests(dsar.Access, c.ShopRequests, shopEmail)},
		{ShopErasure, "Erasure, one database", requests(dsar.Erasure, c.ShopRequests, shopEmail)},
	}}, nil
}

// blank returns the configuration of an installation in a fresh folder.
func blank(dir string) (config.Config, error) {
	cfg, err := config.ForData(filepath.Clean(dir))
	cfg.Listen, cfg.Log.Level = "127.0.0.1:0", "error"
	cfg.PerPerson = journal.MaxList // a load asks for few people, again and again
	return cfg, err
}

// requests makes requests of one right, for the people that email names.
func requests(right dsar.Right, count int, email func(int) string) []upstream.Request {
	at := time.Now()
	out := make([]upstream.Request, count)
	for i := range out {
		out[i] = upstream.Request{ID: upstream.NewID(), Right: right, Jurisdiction: "EEA", Locale: "en", Source: "bench", Email: email(i), ReceivedAt: at}
	}
	return out
}
