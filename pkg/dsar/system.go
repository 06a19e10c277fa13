package dsar

import (
	"slices"
	"time"
)

// System is what the core knows of a system: the part of its manifest that
// decides which tasks it is sent, and when. It is recorded with each request,
// so that a later change of a manifest doesn't change what was decided.
type System struct {
	Name string `json:"name"`
	// Abilities are among resolve, gather, erase, rectify and restrict. What a
	// system can't do ends as [Manual].
	Abilities []Action `json:"abilities"`
	// Needs are the identifier types that it can be asked by: one is enough.
	Needs []IdentifierType `json:"needs"`
	// Finds are the identifier types that its resolve can return.
	Finds []IdentifierType `json:"finds,omitempty"`
	// Links say what its resolve finds by what; none where the manifest doesn't say.
	Links []Link `json:"links,omitempty"`
	// EraseAfter are the systems that must have been erased before it.
	EraseAfter []string `json:"erase_after,omitempty"`
	// MaxRecords is the brake: a plan that would erase more records of one
	// subject stops for a person. 0 means [DefaultMaxRecords].
	MaxRecords int64 `json:"max_records,omitempty"`
	// Lease is how long a task may go unheard of before it is sent again.
	// 0 means [DefaultLease].
	Lease time.Duration `json:"lease,omitempty"`
	// Holds tells that its worker keeps a single dataset from being erased
	// ([Task.Holds]). Where it doesn't, a hold on one dataset is one on the
	// whole system.
	Holds bool `json:"holds,omitempty"`
	// Purposes are the ids of what its data is used for.
	Purposes []string `json:"purposes,omitempty"`
}

// Link says that a system's resolve may find one type of identifier by another.
type Link struct {
	Find IdentifierType `json:"find"`
	By   IdentifierType `json:"by"`
	// Weak tells that several people may share what it is found by, as an address or
	// a household's telephone: a person decides whether it is the same one.
	Weak bool `json:"weak,omitempty"`
	// One tells that it leads to one person's identifier only. Where it leads to
	// several, a person must look.
	One bool `json:"one,omitempty"`
	// Along tells that what the system itself has found of type By, by a link that isn't
	// weak, it has found this along with: it isn't asked again for that.
	Along bool `json:"along,omitempty"`
}

// LeadsOn reports whether an identifier that the system itself has found may lead it to
// others, which it has not found along with it.
func (s System) LeadsOn(t IdentifierType) bool {
	return slices.ContainsFunc(s.Links, func(l Link) bool { return l.By == t && !l.Along })
}

// Can reports whether the system has the ability that an action needs.
func (s System) Can(a Action) bool { return slices.Contains(s.Abilities, a.Ability()) }

const (
	// DefaultMaxRecords is far above what one person leaves in one system, and
	// far below a table.
	DefaultMaxRecords = 10_000
	// DefaultLease is longer than a slow vendor's answer. A worker that works
	// longer on one task says so by progress reports, which renew the lease.
	DefaultLease = 10 * time.Minute
	// MaxLease bounds the growth of the lease of a task that is sent again and
	// again to a system that is down: an hour after it is back, it is asked.
	MaxLease = time.Hour
)

// ResolvesBy returns the identifier types from which the system can find others.
func (s System) ResolvesBy() []IdentifierType {
	if len(s.Links) == 0 {
		return s.Needs
	}
	var types []IdentifierType
	for _, l := range s.Links {
		if !slices.Contains(types, l.By) {
			types = append(types, l.By)
		}
	}
	return types
}

// maxSystem bounds a system's name, which is part of a topic's name.
const maxSystem = 63

// ValidSystem reports whether s is a system's name as every event and every topic has it:
// lower-case letters, digits, hyphens and underscores, a letter first, at most 63
// (schemas/common.schema.json). It is safe as the name of a file.
func ValidSystem(s string) bool {
	if s == "" || len(s) > maxSystem || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}
