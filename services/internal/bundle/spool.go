package bundle

// spool collects the records of a page in pieces, so that growing copies nothing.
type spool struct {
	full [][]byte
	last []byte
	size int      // of full together
	free [][]byte // empty pieces of an earlier page
}

// keepPieces is how many pieces are kept for the next page: a megabyte.
const keepPieces = 16

// len returns how much was collected.
func (s *spool) len() int { return s.size + len(s.last) }

// next returns the piece to add to; took takes it back with what was added.
func (s *spool) next() []byte { return s.last }

// took takes back the piece that next gave.
func (s *spool) took(piece []byte) {
	if s.last = piece; len(piece) < flushAt {
		return
	}
	s.full, s.size = append(s.full, piece), s.size+len(piece)
	s.last = nil
	if n := len(s.free); n > 0 {
		s.last, s.free = s.free[n-1], s.free[:n-1]
	}
}

// each hands what lies between two places to f, in order.
func (s *spool) each(from, to int, f func([]byte) error) error {
	at := 0
	for i := 0; i <= len(s.full) && at < to; i++ {
		piece := s.last
		if i < len(s.full) {
			piece = s.full[i]
		}
		if end := at + len(piece); end > from {
			if err := f(piece[max(from-at, 0):min(to-at, len(piece))]); err != nil {
				return err
			}
		}
		at += len(piece)
	}
	return nil
}

// reset empties it.
func (s *spool) reset() {
	for _, piece := range s.full {
		if len(s.free) < keepPieces && cap(piece) < 2*flushAt {
			s.free = append(s.free, piece[:0])
		}
	}
	clear(s.full)
	s.full, s.last, s.size = s.full[:0], s.last[:0], 0
}
