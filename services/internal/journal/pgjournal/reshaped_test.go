package pgjournal_test

import (
	"slices"
	"testing"

	"habeas.dev/services/internal/journal/pgjournal"
	"habeas.dev/services/internal/pgtest"
)

// TestReshaped: what can swallow or hide rows and isn't Habeas' own is named; a journal as it
// was made, with its grants, has nothing of the kind.
func TestReshaped(t *testing.T) {
	t.Parallel()
	url := pgtest.Start(t).Database(t)
	s := open(t, url)
	if _, err := pgjournal.Grant(t.Context(), url); err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, step := range []struct{ do, named string }{
		{"SELECT 1", ""},
		{"ALTER TABLE note ENABLE ROW LEVEL SECURITY; CREATE POLICY everybody ON note USING (true)", ""}, // as grants do
		{"CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$; CREATE TRIGGER gone BEFORE INSERT ON search FOR EACH ROW EXECUTE FUNCTION gone()", "trigger gone on search"},
		{"CREATE RULE never AS ON INSERT TO fact DO INSTEAD NOTHING", "rule never on fact"},
		{"ALTER TABLE request FORCE ROW LEVEL SECURITY", "forced row security of request"},
		{"CREATE POLICY mine ON request USING (id <> 'x')", "policy mine on request"},
		{"CREATE OR REPLACE VIEW trace AS SELECT r.id, f.version, f.at, f.type, 'nothing'::text AS data FROM request r JOIN fact f ON f.request = r.num", "view trace"},
	} {
		pgtest.Exec(t, url, step.do)
		if step.named != "" {
			want = append(want, step.named)
			slices.Sort(want)
		}
		if got, err := s.Reshaped(t.Context()); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v; want %q", step.do, got, err, want)
		}
	}
}

// TestNotingTrigger: the trigger that notes what is to be listed is Habeas' own as it was made,
// and named where it is off, gone, or does something else.
func TestNotingTrigger(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t)
	for _, do := range []string{
		"ALTER TABLE fact DISABLE TRIGGER fact_unlisted",
		"DROP TRIGGER fact_unlisted ON fact",
		"CREATE OR REPLACE FUNCTION note_unlisted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$",
	} {
		url := server.Database(t)
		s := open(t, url)
		pgtest.Exec(t, url, do)
		if got, err := s.Reshaped(t.Context()); err != nil || !slices.Equal(got, []string{"trigger fact_unlisted on fact"}) {
			t.Errorf("%s: %q, %v", do, got, err)
		}
	}
}
