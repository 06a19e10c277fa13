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
