package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
)

// The scopes of an identifier type.
const (
	ScopeShared = "shared" // it means the same in every system: an account's number that all go by
	ScopeOwn    = "own"    // it belongs to the system that finds it, which is so where nothing is said
	ScopeGiven  = "given"  // no system finds it: requests may bring it
)

// scopes lists them.
func scopes() []string { return []string{ScopeShared, ScopeOwn, ScopeGiven} }

// The strengths of a link.
const (
	Strong = "strong"
	Weak   = "weak"
)

// strengths lists them.
func strengths() []string { return []string{Strong, Weak} }

// wellKnown returns the identifier types that mean the same everywhere, and that a
// request may always bring.
func wellKnown() []dsar.IdentifierType {
	return []dsar.IdentifierType{"email", "phone", "account_id", "customer_ref", "cookie_id", "tax_id"}
}

// Own returns the name that a type has outside of the manifest: with the system's name
// before it where the system finds it and it isn't shared.
func (m *Manifest) Own(t dsar.IdentifierType) dsar.IdentifierType {
	if strings.Contains(string(t), ".") || m.Scope[t] == ScopeShared || !slices.Contains(m.Finds, t) {
		return t
	}
	return dsar.IdentifierType(m.System + "." + string(t))
}

// askedBy returns the names of what a system is asked by for a type of its manifest: an
// address or a telephone number is what it is whoever names it, so that a request's finds as
// the system's own does, although what the system finds stays its own.
func (m *Manifest) askedBy(t dsar.IdentifierType) []dsar.IdentifierType {
	own := m.Own(t)
	if own != t && (t == identifier.Email || t == identifier.Phone) {
		return []dsar.IdentifierType{t, own}
	}
	return []dsar.IdentifierType{own}
}

// qualify writes every type as it is named outside of the manifest.
func (m *Manifest) qualify() {
	if m.SQL != nil {
		for i := range m.SQL.Resolve {
			r := &m.SQL.Resolve[i]
			r.Find, r.By = m.Own(r.Find), m.ownKeys(r.By)
		}
	}
	for i := range m.Datasets {
		d := &m.Datasets[i]
		if d.SQL != nil {
			d.SQL.Subject = m.ownKeys(d.SQL.Subject)
			d.SQL.Mentions = ownKeys(m, d.SQL.Mentions)
			for j := range d.SQL.Ways {
				d.SQL.Ways[j].Subject = m.ownKeys(d.SQL.Ways[j].Subject)
			}
		}
		if d.Lake != nil {
			d.Lake.Subject = m.ownKeys(d.Lake.Subject)
		}
		for j := range d.Others {
			d.Others[j].Unless = m.ownKeys(d.Others[j].Unless)
		}
	}
	var needs, finds []dsar.IdentifierType
	for _, t := range m.Needs {
		needs = append(needs, m.askedBy(t)...)
	}
	for _, t := range m.Finds {
		finds = append(finds, m.Own(t))
	}
	scope := m.ownKeys(m.Scope)
	m.Needs, m.Finds, m.Scope = needs, finds, scope
}

func (m *Manifest) ownKeys(in map[dsar.IdentifierType]string) map[dsar.IdentifierType]string {
	return ownKeys(m, in)
}

func ownKeys[V any](m *Manifest, in map[dsar.IdentifierType]V) map[dsar.IdentifierType]V {
	if in == nil {
		return nil
	}
	out := make(map[dsar.IdentifierType]V, len(in))
	for t, v := range in {
		for _, name := range m.askedBy(t) {
			out[name] = v
		}
	}
	return out
}

// links returns what a resolve finds by what, as the core knows it.
func (m *Manifest) links() []dsar.Link {
	if m.SQL == nil {
		return nil
	}
	var out []dsar.Link
	for _, r := range m.SQL.Resolve {
		for _, by := range slices.Sorted(maps.Keys(r.By)) {
			out = append(out, dsar.Link{Find: r.Find, By: by, Weak: r.Strength == Weak, One: r.One, Along: m.along(&r, by)})
		}
	}
	return out
}

// along reports whether a resolve of the manifest finds, in the same answer, all that it would
// find by an identifier of a type that the manifest finds as well. It does where each way to
// that identifier, from a column of a table, is a way of this resolve too, over that table.
func (m *Manifest) along(r *SQLResolve, by dsar.IdentifierType) bool {
	found := false
	for i := range m.SQL.Resolve {
		q := &m.SQL.Resolve[i]
		if q.Find != by || q.Strength == Weak { // what is found by that is asked by anew
			continue
		}
		found = true
		if r.Strength == Weak || len(q.Via) > 0 || len(r.Via) != 1 || r.Via[0].Where != nil {
			return false
		}
		over := r.Via[0]
		if over.Table != q.Table || len(over.On) != 1 || over.On[r.By[by]] != q.Column {
			return false
		}
		for t, column := range q.By {
			if r.By[t] != over.Name()+"."+column {
				return false
			}
		}
	}
	return found
}

func (v *validation) scopes() {
	v.list("scope", len(v.m.Scope))
	for _, t := range slices.Sorted(maps.Keys(v.m.Scope)) {
		path := "scope." + string(t)
		oneOf(v, path, "scope", v.m.Scope[t], scopes())
		if !slices.Contains(v.m.Finds, t) && !slices.Contains(v.m.Needs, t) {
			v.add(path, fmt.Sprintf("%q is neither in needs nor in finds", t), "leave it out")
		}
	}
}

// namespaces fails types that two systems may mean differently, and refuses what finds
// somebody else or nobody: numbers of another system's, needs that nothing fulfils, and
// account numbers of requests that may be another's.
func namespaces(ms []*Manifest, fail, refuse func(m *Manifest, path, what, cure string)) {
	systems := map[string]bool{}
	for _, m := range ms {
		systems[m.System] = true
	}
	finders := map[dsar.IdentifierType][]*Manifest{}
	found := map[dsar.IdentifierType]bool{}
	for _, m := range ms {
		for _, t := range m.Finds {
			base := t[strings.LastIndexByte(string(t), '.')+1:]
			finders[base] = append(finders[base], m)
			found[t] = true
			if owner, _, prefixed := strings.Cut(string(t), "."); prefixed && owner != m.System && systems[owner] {
				refuse(m, "finds", fmt.Sprintf("system %s finds %s, which belongs to %s: a number that %s has need not be that of the same person", m.System, t, owner, m.System),
					fmt.Sprintf("name it %s here, or have both declare it shared", base))
			}
			if base == "account_id" && t != base && m.Scope[t] == "" && slices.Contains(m.Needs, t) {
				refuse(m, "needs", fmt.Sprintf("system %s finds %s and needs it, and it isn't said whether what a request brings is the same: it isn't asked by that", m.System, base),
					fmt.Sprintf("add scope: {%s: shared} where it is, or scope: {%s: own}", base, base))
			}
		}
	}
	for _, base := range slices.Sorted(maps.Keys(finders)) {
		for _, m := range finders[base] {
			if len(finders[base]) > 1 && m.Scope[base] == "" && m.Scope[m.qualified(base)] == "" {
				fail(m, "finds", fmt.Sprintf("system %s finds %s, and so does another system, and it isn't said whether they mean the same", m.System, base),
					fmt.Sprintf("add scope: {%s: shared} where one number means one person in both, or scope: {%s: own}", base, base))
			}
		}
	}
	for _, m := range ms {
		for _, t := range m.Needs {
			if found[t] || slices.Contains(wellKnown(), t) || m.Scope[t] == ScopeGiven {
				continue
			}
			cure := fmt.Sprintf("have a system find it, or add scope: {%s: given} where requests bring it", t)
			for _, owner := range finders[t] {
				cure = fmt.Sprintf("name it %s, or have %s declare it shared", owner.qualified(t), owner.System)
			}
			refuse(m, "needs", fmt.Sprintf("system %s needs %s, which no system finds", m.System, t), cure)
		}
	}
}

func (m *Manifest) qualified(t dsar.IdentifierType) dsar.IdentifierType {
	return dsar.IdentifierType(m.System + "." + string(t))
}
