package manifest

import (
	"fmt"
	"strings"

	"habeas.dev/pkg/dsar"
)

// FilesMet finds folders and buckets in which a file may belong to rows of two systems, or of one
// that calls them by two names: neither asks whether the other's rows name what it removes. address
// returns where the files lie that a system's manifest calls by a name; empty where that isn't known.
func FilesMet(ms []*Manifest, address func(m *Manifest, in string) string) []Finding {
	var out []Finding
	for i, m := range ms {
		for j, o := range ms[:i+1] {
			if !m.Can(dsar.Erase) && !o.Can(dsar.Erase) {
				continue
			}
			for n := range m.Datasets {
				for k := range o.Datasets {
					d, other := &m.Datasets[n], &o.Datasets[k]
					if d.SQL == nil || other.SQL == nil || d.SQL.Files == nil || other.SQL.Files == nil || i == j && (k >= n || d.SQL.Files.In == other.SQL.Files.In) {
						continue
					}
					one, two := address(m, d.SQL.Files.In), address(o, other.SQL.Files.In)
					if one == "" || two == "" || !mayMeet(one, d.SQL.Files, two, other.SQL.Files) {
						continue
					}
					what, cure := fmt.Sprintf("files of %s may be those of %s of the system %s, whose rows aren't asked before they are removed", d.Name, other.Name, o.System),
						"give each a folder of its own, or names that begin differently"
					if i == j {
						what, cure = fmt.Sprintf("%s and %s are one folder or bucket, and the rows of %s aren't asked before files of %s are removed", d.SQL.Files.In, other.SQL.Files.In, other.Name, d.Name), "call it by one name"
					}
					out = append(out, Finding{Rule: "files-met", Refuses: true, Error: m.problem(index("datasets", n)+".sql.files.in", what, cure)})
				}
			}
		}
	}
	return out
}

// mayMeet reports whether two files, each called by a path in a folder or bucket, may be one.
func mayMeet(one string, f *SQLFiles, two string, other *SQLFiles) bool {
	for _, a := range begun(one, f) {
		for _, b := range begun(two, other) {
			if strings.HasPrefix(a, b) || strings.HasPrefix(b, a) {
				return true
			}
		}
	}
	return false
}

// begun returns what the whole names of files begin with.
func begun(address string, f *SQLFiles) (out []string) {
	for _, path := range f.Paths() {
		begin := strings.TrimSuffix(address, "/") + "/"
		if parts := ParseBeside(path); len(parts) > 0 && parts[0].Column == "" {
			begin += strings.TrimPrefix(parts[0].Text, "/")
		}
		out = append(out, begin)
	}
	return out
}
