package people

// events makes registrations, attendance, media (image and voice) and travel.
func (g *generator) events() {
	for i := range max(1, g.some(4)) {
		key := g.key("reg_")
		day := g.recent()
		g.add("registrations", key, map[string]any{
			"registration_id": key, "email": g.typed(), "name": g.fullName(), "phone": g.nullable(personal(g.who.Phone)),
			"company": g.nullable(personal(g.who.Employer)), "event": pick(g, gatherings), "event_date": on(day),
			"dietary": g.nullable(g.note()), "badge": personal(g.who.GivenName), "registered_at": at(day.AddDate(0, -1, 0)),
		})
		for range min(2, g.some(2)) {
			n := g.number()
			g.add("attendance", numberKey(n), map[string]any{
				"attendance_id": n, "registration_id": key, "session": pick(g, []string{"Keynote", "Lab: queues", "Round table, hall 3"}),
				"checked_in_at": at(day), "rating": g.nullable(int64(1 + g.IntN(5))),
			})
		}
		if i%2 == 0 {
			media := g.key("med_")
			email, kind := g.typed(), pick(g, []string{"image", "voice", "demonstration"})
			ending := ".png"
			if kind == "voice" {
				ending = ".wav"
			}
			g.add("media", media, map[string]any{
				"media_id": media, "email": email, "kind": kind, "file": g.fileName("stage/"+string(g.digits(6))+"-"+media, ending), "caption": g.note(),
				"face_template": g.nullable(personal(string(g.digits(32)))), "consent": g.IntN(2) == 0, "captured_at": at(day),
			})
		}
	}
	for range g.some(4) {
		key := g.key("trv_")
		g.add("travel", key, map[string]any{
			"trip_id": key, "email": g.typed(), "origin": g.city(), "destination": g.city(), "departs_at": at(g.recent()),
			"passport": g.nullable(personal("X" + string(g.digits(7)))),
			"latitude": float64(g.IntN(180000)-90000) / 1000, "longitude": float64(g.IntN(360000)-180000) / 1000,
		})
	}
}

var gatherings = []string{"Cloud Day Luxembourg", "Builders' Evening", "Sommet, Lyon", "開発者の夕べ"}
