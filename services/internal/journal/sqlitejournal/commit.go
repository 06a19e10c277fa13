package sqlitejournal

import (
	"errors"

	"habeas.dev/services/internal/journal"
	"habeas.dev/services/internal/journal/group"
	sqlite3 "modernc.org/sqlite/lib"
)

// commit is the group's commit function: one transaction for all calls, and for
// the rows that the relay has sent in the meantime.
func (s *Store) commit(calls []*group.Call) {
	sent := s.queue.takeSent()
	if len(calls) == 0 && len(sent) == 0 {
		return
	}
	first, err := s.tx.run(calls, sent)
	if err != nil {
		s.queue.putBackSent(sent)
		s.recover(calls, err)
		return
	}
	s.commits.Add(1)
	s.queue.committed(calls, first)
}

// recover makes the writer usable again after a failed transaction. An error that
// lies with one append must not fail the others, so each is tried on its own.
func (s *Store) recover(calls []*group.Call, err error) {
	if errors.Is(err, journal.ErrTree) && len(calls) > 1 {
		for _, c := range calls {
			s.commit([]*group.Call{c})
		}
		return
	}
	switch code(err) {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY:
		// The connection is sound.
	case sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE:
		if len(calls) > 1 {
			for _, c := range calls {
				s.commit([]*group.Call{c})
			}
			return
		}
	default:
		// After an I/O error the state of the connection isn't known.
		s.tx.disconnect()
	}
	err = explain(s.path, err)
	for _, c := range calls {
		c.Err = err
	}
}
