package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
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

// qualify writes every type as it is named outside of the manifest.
func (m *Manifest) qualify() {
	own := func(types []dsar.IdentifierType) []dsar.IdentifierType {
		out := slices.Clone(types)
		for i, t := range out {
			out[i] = m.Own(t)
		}
		return out
	}
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
		for j := range d.Others {
			d.Others[j].Unless = m.ownKeys(d.Others[j].Unless)
		}
	}
	needs, finds := own(m.Needs), own(m.Finds)
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
		out[m.Own(t)] = v
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
			out = append(out, dsar.Link{Find: r.Find, By: by, Weak: r.Strength == Weak, One: r.One})
		}
	}
	return out
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

// namespaces fails types that two systems may mean differently, and needs that nothing
// fulfils.
func namespaces(ms []*Manifest, fail func(m *Manifest, path, what, cure string)) {
	finders := map[dsar.IdentifierType][]*Manifest{}
	found := map[dsar.IdentifierType]bool{}
	for _, m := range ms {
		for _, t := range m.Finds {
			base := t[strings.LastIndexByte(string(t), '.')+1:]
			finders[base] = append(finders[base], m)
			found[t] = true
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
			fail(m, "needs", fmt.Sprintf("system %s needs %s, which no system finds", m.System, t), cure)
		}
	}
}

func (m *Manifest) qualified(t dsar.IdentifierType) dsar.IdentifierType {
	return dsar.IdentifierType(m.System + "." + string(t))
}
