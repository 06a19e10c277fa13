package sqlsystem

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

var guideBlock = regexp.MustCompile("(?s)```(sql|yaml)\n(.*?)```")

// TestGuide: the manifest that docs/workers.md writes by hand serves its table as it stands
// there, on both databases: an order of ten years ago goes, one of this year stays.
func TestGuide(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/workers.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, there := strings.Cut(string(page), "### Written by hand")
	blocks := guideBlock.FindAllStringSubmatch(section, 2)
	if !there || len(blocks) != 2 || blocks[0][1] != "sql" || blocks[1][1] != "yaml" {
		t.Fatal("the page has no table and its manifest")
	}
	m, err := manifest.Parse("orders.yaml", []byte(blocks[1][2]))
	if err != nil {
		t.Fatal(err)
	}
	const rows = `INSERT INTO orders VALUES ('A-1', 'Anna@example.com ', '2012-05-01', 'Paris', 30), ('A-2', 'anna@example.com', '2026-05-01', 'Paris', 20), ('A-3', 'bob@example.com', '2012-05-01', 'Lyon', 10)`
	for name, of := range map[string]func(testing.TB, string) database{"SQLite": sqliteDB, "PostgreSQL": postgresDB} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := of(t, blocks[0][2]+rows)
			s := open(t, db, m)
			anna := ids("email anna@example.com")
			if got := gatherAll(t, s, anna)[0]; len(got) != 2 {
				t.Errorf("shown %d", len(got))
			}
			jobs := jobsOf(dsar.Erasure, anna)
			if err := s.eraseAll(t.Context(), jobs); err != nil || jobs[0].Err != nil {
				t.Fatal(err, jobs[0].Err)
			}
			if left := strings.Join(db.column(t, "SELECT number FROM orders ORDER BY number"), " "); left != "A-2 A-3" {
				t.Errorf("left %s", left)
			}
		})
	}
}
