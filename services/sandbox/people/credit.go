package people

// TaxID returns the tax number by which billing knows a person; empty where it has none.
func (p *Population) TaxID(number int) string {
	for _, r := range p.RowsIn(number, Billing) {
		if r.Dataset == "customers" {
			tax, _ := r.Values["tax_id"].(string)
			return tax
		}
	}
	return ""
}

// credit makes what credit bureaus sent, with the entries of their history, and leads that
// were received. A bureau knows the person by the account, by the tax number, or by both.
func (g *generator) credit() {
	tax := any(nil)
	if number := g.population.TaxID(g.who.Number); number != "" {
		tax = number
	}
	known := func() (account, number any) {
		if roll := g.IntN(3); tax != nil && roll == 0 {
			return nil, tax
		} else if roll == 1 {
			return g.who.AccountID, nil
		}
		return g.who.AccountID, tax
	}
	for range max(1, g.some(3)) {
		report := g.key("crp_")
		account, number := known()
		day := g.recent()
		g.add("reports", report, map[string]any{
			"report_id": report, "bureau": pick(g, bureaus), "account_id": account, "tax_id": number, "subject_name": g.fullName(),
			"score": int64(300 + g.IntN(550)), "defaults": int64(g.IntN(3)), "comment": g.nullable(g.note()), "received_on": on(day),
		})
		for range g.some(3) {
			key := g.key("che_")
			g.add("history", key, map[string]any{
				"entry_id": key, "report_id": report, "kind": pick(g, []string{"loan", "late payment", "enquiry"}), "amount": g.money(9000), "currency": "EUR",
				"happened_on": on(day.AddDate(-1, 0, 0)),
			})
		}
	}
	for range g.some(3) {
		key := g.key("led_")
		account, number := known()
		g.add("leads", key, map[string]any{
			"lead_id": key, "source": pick(g, []string{"Fair & Sons, fair organisers", "Contact list of Leadmill Ltd"}), "account_id": account, "tax_id": number,
			"name": g.fullName(), "interest": g.nullable(g.note()), "received_on": on(g.recent()), "usable": true,
		})
	}
}

var bureaus = []string{"Crédit-Vue S.A.", "Bonitas Auskunft GmbH", "Nordkredit A/S"}
