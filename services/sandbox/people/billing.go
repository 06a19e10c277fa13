package people

import "strconv"

func numberKey(n int64) string { return strconv.FormatInt(n, 10) }

// CustomerRef returns the reference under which billing knows a person.
func (p *Population) CustomerRef(number int) string {
	return newGenerator(p, number, Billing).customerRef()
}

func (g *generator) customerRef() string {
	if g.canary {
		return "cus_" + canary(g.who.Number, "customer_ref")
	}
	return token("cus_", g.seed, g.who.Number, 0)
}

// newTaxID makes the tax number of a customer, by which credit knows the person too.
func (g *generator) newTaxID() any {
	tax := g.nullable(personal(g.country() + string(g.digits(9))))
	if g.canary {
		return "TX" + canary(g.who.Number, "tax_id")
	}
	return tax
}

// billing makes customers, subscriptions, invoices with their lines, and
// payments. Every fifth invoice is older than ten years.
func (g *generator) billing() {
	ref := g.customerRef()
	currency := map[string]string{"EEA": "EUR", "UK": "GBP", "Japan": "JPY", "South Korea": "KRW", "Canada": "CAD"}[g.who.Region]
	if currency == "" {
		currency = "USD"
	}
	g.add("customers", ref, map[string]any{
		"customer_ref": ref, "account_id": g.who.AccountID, "name": g.fullName(), "email": g.typed(),
		"address": g.address(), "tax_id": g.newTaxID(),
		"card_number": personal("4000" + string(g.digits(12))), "card_expires": g.nullable("2029-08"),
		"created_on": on(g.instant(2010, 2012)),
	})
	for range g.some(2) {
		key := g.key("sub_")
		start := g.recent()
		g.add("subscriptions", key, map[string]any{
			"subscription_id": key, "customer_ref": ref, "plan": pick(g, []string{"Starter", "Team, yearly", "Scale \"XL\""}),
			"started_on": on(start), "ended_on": g.nullable(on(start.AddDate(1, 0, 0))), "fee": g.money(300), "currency": currency,
		})
	}
	for i := range g.some(5) {
		issued := g.recent()
		if i%5 == 4 {
			issued = g.instant(longAgoFirst, longAgoLast)
		}
		invoice := g.key("inv_")
		var total float64
		lines := 1 + g.IntN(2)
		if i == 0 {
			lines = 2
		}
		type line struct {
			key    string
			n      int64
			amount float64
			about  personal
		}
		var made []line
		for n := range lines {
			l := line{g.key("ln_"), int64(1 + g.IntN(40)), g.money(90), g.note()}
			if n == 0 {
				l.about = "Compute, by the hour"
			}
			total += l.amount
			made = append(made, l)
		}
		g.add("invoices", invoice, map[string]any{
			"invoice_id": invoice, "customer_ref": ref, "issued_on": on(issued), "bill_to": g.fullName() + "\n" + g.address(),
			"tax_id": g.nullable(personal(g.country() + string(g.digits(9)))), "total": cents(total), "currency": currency,
			"paid": g.IntN(6) > 0,
		})
		for _, l := range made {
			g.add("invoice_lines", l.key, map[string]any{
				"line_id": l.key, "invoice_id": invoice, "issued_on": on(issued), "description": l.about,
				"quantity": l.n, "amount": l.amount,
			})
		}
		if i%3 == 2 {
			continue
		}
		payment := g.key("pay_")
		g.add("payments", payment, map[string]any{
			"payment_id": payment, "customer_ref": ref, "invoice_id": invoice, "paid_on": on(issued.AddDate(0, 0, 14)), "amount": cents(total),
			"currency": currency, "method": pick(g, []string{"card", "transfer"}), "iban": g.nullable(personal("LU" + string(g.digits(18)))),
			"reference": g.note(),
		})
	}
}

// cents rounds to two decimals.
func cents(f float64) float64 { return float64(int64(f*100+0.5)) / 100 }
