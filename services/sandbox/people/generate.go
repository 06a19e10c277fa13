package people

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// DefaultPeople is how many people are seeded by default.
const DefaultPeople = 240

// firstRandom is the first number of which nothing is fixed: those below play
// a part in the demo or set a trap for it.
const firstRandom = 12

// Config says how large a population is.
type Config struct {
	Seed   int64
	People int // 0 means [DefaultPeople]; fewer than firstRandom-1 are raised to it
	// Own adds what only some companies have at their vendors: objects of their
	// own, members of programs. The built-in manifests don't declare it.
	Own bool
	// Files gives rows what is in the files beside them ([FileColumn]). The built-in
	// manifests don't declare it.
	Files bool
}

// Generate returns the population of a seed. Person n is the same whatever the
// population's size.
func Generate(c Config) *Population { return generate(c, false) }

func generate(c Config, canary bool) *Population {
	n := c.People
	if n == 0 {
		n = DefaultPeople
	}
	n = max(n, firstRandom-1)
	p := &Population{seed: uint64(c.Seed), canary: canary, own: c.Own, files: c.Files, People: make([]Person, n)}
	for i := range p.People {
		p.People[i] = p.person(i + 1)
	}
	return p
}

// person makes one person: a fixed one below firstRandom, else a random one.
func (p *Population) person(number int) Person {
	r := rand.New(rand.NewPCG(p.seed, mix(uint64(number))))
	var who Person
	switch number {
	case Camille:
		who = Person{GivenName: "Camille", FamilyName: "O'Brien", Email: "camille.o'brien@example.com", Employer: "Atelier du Nord Sàrl", Language: "fr", Region: "EEA"}
	case Californian:
		who = Person{GivenName: "Dolores", FamilyName: "Whitcombe", Email: "dolores.whitcombe@example.com", Language: "en", Region: "California"}
	case Leaver:
		who = Person{GivenName: "Matthias", FamilyName: "Brückner", Email: "m.brueckner@example.org", Language: "de", Region: "EEA"}
	case NonLatin:
		who = Person{GivenName: "さくら", FamilyName: "高橋", Email: "sakura.takahashi@example.net", Language: "ja", Region: "Japan"}
	// Who could be taken for somebody of the demo.
	case 5: // shares Camille's employer and surname
		who = Person{GivenName: "Séamus", FamilyName: "O'Brien", Email: "seamus.o'brien@example.com", Employer: "Atelier du Nord Sàrl", Language: "en", Region: "EEA"}
	case 6: // shares Camille's whole name, but for the apostrophe in the address
		who = Person{GivenName: "Camille", FamilyName: "O'Brien", Email: "camille.obrien@example.com", Language: "fr", Region: "Canada"}
	case 7: // an address that ends like Camille's
		who = Person{GivenName: "Jean-Camille", FamilyName: "O'Brien", Email: "jean.camille.o'brien@example.com", Language: "fr", Region: "EEA"}
	case 8: // an address that holds LIKE's wildcard where the leaver's has a dot
		who = Person{GivenName: "Mara", FamilyName: "Brückner", Email: "m_brueckner@example.org", Language: "de", Region: "EEA"}
	case 9:
		who = Person{GivenName: "Haruto", FamilyName: "高橋", Email: "sakura.takahashi@example.org", Language: "ja", Region: "Japan"}
	case 10: // an address that is SQL
		who = Person{GivenName: "Robert", FamilyName: "Tablesse", Email: `x'or'1'='1@example.com`, Language: "fr", Region: "EEA"}
	case 11: // an address with a tag and with letters beyond ASCII
		who = Person{GivenName: "Jürgen", FamilyName: "Öztürk", Email: "jürgen+cloud@example.org", Language: "de", Region: "EEA"}
	default:
		who = randomPerson(r, number)
	}
	who.Number = number
	who.Phone = phone(who.Region, who.Language, number)
	// Four in five have an account.
	if number < firstRandom || r.IntN(5) > 0 {
		who.AccountID = token("acc_", p.seed, number, 0)
	}
	if p.canary {
		who.mark()
	}
	return who
}

func randomPerson(r *rand.Rand, number int) Person {
	c := cultures[r.IntN(len(cultures))]
	given, family := pick(r, c.given), pick(r, c.family)
	who := Person{GivenName: given.native, FamilyName: family.native, Language: c.language, Region: pick(r, c.regions)}
	local := given.latin + "." + family.latin
	switch r.IntN(6) {
	case 0:
		local = given.latin[:1] + family.latin
	case 1:
		local = family.latin + "_" + given.latin
	case 2:
		local += "+news"
	}
	// The number keeps addresses apart.
	who.Email = local + strconv.Itoa(number) + "@" + pick(r, []string{"example.com", "example.org", "example.net"})
	if r.IntN(4) == 0 {
		who.Employer = pick(r, employers)
	}
	return who
}

// phone gives every number a telephone of its own.
func phone(region, language string, number int) string {
	code := map[string]string{"EEA": "352", "UK": "44", "California": "1415", "Canada": "1514", "Japan": "81", "South Korea": "82"}[region]
	switch {
	case region == "EEA" && language == "fr":
		code = "33"
	case region == "EEA" && language == "de":
		code = "49"
	case code == "":
		code = "55"
	}
	return fmt.Sprintf("+%s5%06d", code, number)
}

// generator makes the rows of one person in one system.
type generator struct {
	*rand.Rand
	who    Person
	seed   uint64
	system string
	canary bool
	rows   []Row
	keys   int

	population *Population
}

func newGenerator(p *Population, number int, system string) *generator {
	r := rand.New(rand.NewPCG(p.seed, mix(uint64(number)^textHash(system))))
	return &generator{Rand: r, who: p.Person(number), seed: p.seed, system: system, canary: p.canary, population: p}
}

// present reports whether the system holds anything of this person. The fixed
// people are everywhere.
func (g *generator) present() bool {
	if g.system == PaymentTech { // whose references are billing's
		return newGenerator(g.population, g.who.Number, Billing).present()
	}
	const outOf = 10
	roll := g.IntN(outOf)
	switch g.system {
	case Account, Billing, Marketplace, Advertising, Community, Credit:
		if g.who.AccountID == "" {
			return false
		}
	}
	if g.who.Number < firstRandom || g.canary {
		return true
	}
	held := map[string]int{
		Account: 10, Billing: 8, Marketplace: 5, Events: 6, Salesforce: 7, Marketo: 7, HubSpot: 6, Support: 6, Communications: 9,
		Partner: 3, Advertising: 7, Community: 5, Credit: 4, Training: 4, Activity: 8,
	}
	return roll < held[g.system]
}

// personal marks a text as personal, so that the canary variant can replace it.
type personal string

// add appends a row; of a personal text, the canary variant keeps nothing.
func (g *generator) add(dataset, key string, values map[string]any) {
	for column, v := range values {
		values[column] = g.plain(dataset+"."+column+"-"+key, v)
	}
	g.withFile(dataset, values)
	g.rows = append(g.rows, Row{System: g.system, Dataset: dataset, Key: key, Person: g.who.Number, Values: values})
}

func (g *generator) plain(field string, v any) any {
	switch v := v.(type) {
	case personal:
		if g.canary {
			return canary(g.who.Number, g.system+"."+field)
		}
		return string(v)
	case map[string]any:
		for k, e := range v {
			v[k] = g.plain(field+"."+k, e)
		}
	case []any:
		for i, e := range v {
			v[i] = g.plain(field+"."+strconv.Itoa(i), e)
		}
	}
	return v
}

// key returns a key that is unique in its system.
func (g *generator) key(prefix string) string {
	g.keys++
	return token(prefix, g.seed^textHash(g.system), g.who.Number, g.keys)
}

// number returns a numeric key that is unique in its system.
func (g *generator) number() int64 {
	g.keys++
	return int64(g.who.Number)*maxRowsOfPerson + int64(g.keys)
}

// maxRowsOfPerson keeps the numeric keys of two people apart.
const maxRowsOfPerson = 1000

// some returns how many records to make: the fixed people have the most.
func (g *generator) some(most int) int {
	if g.who.Number < firstRandom {
		return most
	}
	return g.IntN(most + 1)
}

func pick[T any](r interface{ IntN(int) int }, from []T) T { return from[r.IntN(len(from))] }

// token makes a key of 13 letters and digits; 65 bits of a hash keep a hundred
// thousand people's rows apart.
func token(prefix string, seed uint64, number, n int) string {
	const alphabet = "abcdefghjkmnpqrstvwxyz0123456789"
	h := mix(mix(seed+textHash(prefix))^mix(uint64(number))<<1) ^ uint64(number)<<20 ^ uint64(n)
	h = mix(h)
	var b strings.Builder
	b.WriteString(prefix)
	for range 13 {
		b.WriteByte(alphabet[h&31])
		h >>= 5
	}
	return b.String()
}

// mix applies the finaliser of SplitMix64, a bijection.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// textHash returns a text's FNV-1a hash.
func textHash(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}
