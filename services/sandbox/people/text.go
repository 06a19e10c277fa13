package people

import (
	"fmt"
	"strings"
	"time"
)

// odd are texts that break what doesn't quote, escape or bind.
var odd = []string{
	`she said "no", twice`,
	"first line\nsecond, \"quoted\" line\r\nthird",
	`Robert'); DROP TABLE invoices;--`,
	`' OR '1'='1`,
	`\' OR Name LIKE '%`,
	`100%_sure \ "really"`,
	`=1+1`,
	`+SUM(A1:A9)`,
	`-2+3`,
	`@cmd|' /C calc'!A0`,
	"\ttab first",
	`👩🏽‍🚀 café, naïve, 👍`,
	`{"not":"an object"}`,
	`<script>alert("x")</script>`,
	"نص عربي مع English",
	"NULL",
	"0012",
	" leading and trailing ",
	"",
	"a;b;c",
}

var notes = []string{
	"Asked for a call back in the morning.",
	"Prefers to be written to in their own language.",
	"Wants the invoice split by cost centre.",
	"Moved house; the old address is still on file.",
	"Could not sign in after the change of phone.",
	"Interested in the object storage trial.",
	"Complained about the length of the form.",
	"Renewal to be discussed in spring.",
}

// note returns a free text: for the fixed people every third is odd, else one in
// twelve.
func (g *generator) note() personal {
	rarity := 12
	if g.who.Number < firstRandom {
		rarity = 3
	}
	if g.IntN(rarity) == 0 {
		return personal(pick(g, odd))
	}
	return personal(pick(g, notes))
}

// The span of the seeded dates. Retention must give the same answer on
// whatever day the sandbox runs, from 2025 to 2029: dates that are past a
// period of ten years end in 2014, those inside begin in 2020.
const (
	longAgoFirst, longAgoLast = 2010, 2014
	recentFirst, recentLast   = 2020, 2025
)

// instant returns a moment of the years from first to last.
func (g *generator) instant(first, last int) time.Time {
	start := time.Date(first, time.January, 1, 0, 0, 0, 0, time.UTC)
	end := time.Date(last+1, time.January, 1, 0, 0, 0, 0, time.UTC)
	return start.Add(time.Duration(g.Int64N(int64(end.Sub(start)/time.Second))) * time.Second)
}

func (g *generator) recent() time.Time { return g.instant(recentFirst, recentLast) }

// at returns an instant, as a record tells it.
func at(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// on returns a date, as a record tells it.
func on(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// money returns an amount with two decimals.
func (g *generator) money(most int) float64 { return float64(g.IntN(most*100)) / 100 }

// typed returns the person's address as they typed it on some form: now and then
// with capitals. Addresses are compared without regard to case.
func (g *generator) typed() string {
	if g.canary || g.IntN(4) > 0 {
		return g.who.Email
	}
	b := []byte(g.who.Email)
	if b[0] >= 'a' && b[0] <= 'z' {
		b[0] -= 'a' - 'A'
	}
	return string(b)
}

func (g *generator) fullName() personal {
	switch g.who.Language {
	case "ja", "ko":
		return personal(g.who.FamilyName + " " + g.who.GivenName)
	}
	return personal(g.who.GivenName + " " + g.who.FamilyName)
}

func (g *generator) address() personal {
	street := pick(g, []string{"12 rue de la Pépinière", "4 Quarry Lane", "Am Alten Markt 7", "三丁目 2-1", "88 Harbour Street, Flat \"B\"", "Rua das Flores, 19"})
	return personal(fmt.Sprintf("%s\n%05d %s", street, g.IntN(99999), g.city()))
}

func (g *generator) city() personal {
	return personal(pick(g, []string{"Luxembourg", "Lyon", "Köln", "Leeds", "大阪", "San José", "Montréal", "Αθήνα", "Incheon"}))
}

func (g *generator) country() string {
	switch g.who.Region {
	case "UK":
		return "GB"
	case "California":
		return "US"
	case "Canada":
		return "CA"
	case "Japan":
		return "JP"
	case "South Korea":
		return "KR"
	case "EEA":
		switch g.who.Language {
		case "fr", "de", "pt":
			return strings.ToUpper(g.who.Language)
		case "el":
			return "GR"
		}
		return "LU"
	default:
		return "BR"
	}
}

func (g *generator) ip() personal {
	if g.IntN(4) == 0 {
		return personal(fmt.Sprintf("2001:db8::%x:%x", g.IntN(65536), g.IntN(65536)))
	}
	return personal(fmt.Sprintf("%s.%d", pick(g, []string{"192.0.2", "198.51.100", "203.0.113"}), 1+g.IntN(254)))
}

// nullable returns a value that is now and then not there.
func (g *generator) nullable(v any) any {
	if g.IntN(5) == 0 {
		return nil
	}
	return v
}

// digits returns a made-up number of some length.
func (g *generator) digits(n int) personal {
	b := make([]byte, n)
	for i := range b {
		b[i] = '0' + byte(g.IntN(10))
	}
	return personal(b)
}
