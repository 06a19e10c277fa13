package marketo

import "strings"

// Holds reports whether there is a lead of an address that isn't deleted.
func (s *Server) Holds(email string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, l := range s.store.byEmail[strings.ToLower(email)] {
		if l.deletedAt.IsZero() {
			return true
		}
	}
	return false
}

// Stopped reports whether no lead of an address may be written to or called.
func (s *Server) Stopped(email string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, l := range s.store.byEmail[strings.ToLower(email)] {
		for _, field := range []string{"unsubscribed", "doNotCall"} {
			if n, is := s.store.number[field]; is && l.deletedAt.IsZero() && string(l.values[n]) != "true" {
				return false
			}
		}
	}
	return true
}
