package people

// training makes courses, degrees, and applications for a job or a bursary.
func (g *generator) training() {
	for range max(1, g.some(5)) {
		key := g.key("enr_")
		g.add("enrolments", key, map[string]any{
			"id": key, "email": g.typed(), "name": g.fullName(), "course": pick(g, courses), "field": pick(g, fields), "enrolled_on": on(g.recent()),
			"result": g.nullable(int64(g.IntN(101))),
		})
	}
	for range g.some(3) {
		key := g.key("deg_")
		g.add("degrees", key, map[string]any{
			"id": key, "email": g.typed(), "degree": pick(g, []string{"Bachelor", "Master", "Diploma"}), "field": pick(g, fields),
			"school": g.nullable(g.note()), "obtained_on": on(g.instant(2010, 2019)),
		})
	}
	for range g.some(3) {
		key := g.key("app_")
		g.add("applications", key, map[string]any{
			"id": key, "email": g.typed(), "name": g.fullName(), "position": pick(g, []string{"Engineer", "Teacher", "Bursary"}), "letter": g.note(),
			"applied_on": on(g.recent()),
		})
	}
}

var (
	courses = []string{"Operating containers", "Networks for beginners", "Cloud, module 2", "Safe deployments"}
	fields  = []string{"Computer science", "Mathematics", "Languages", "情報工学"}
)
