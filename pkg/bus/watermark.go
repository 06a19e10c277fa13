package bus

// watermark tracks, for one partition, the offset below which every record is done.
// It commits that and nothing beyond: a record that is done past one that isn't is
// done again after a crash, but none is ever skipped.
//
// Records enter in the order of their offsets, which may have gaps
// (compaction, transaction markers); they are known here by a sequence number
// that has none. Not safe for concurrent use.
type watermark struct {
	ring []mark // of a power of two, by sequence number
	head uint64 // the oldest that isn't done
	tail uint64 // the next to be added
	next int64  // the offset to commit: all below are done
}

type mark struct {
	offset int64
	done   bool
}

// add adds a record and returns its sequence number.
func (w *watermark) add(offset int64) uint64 {
	if int(w.tail-w.head) == len(w.ring) {
		w.grow()
	}
	seq := w.tail
	w.ring[seq&uint64(len(w.ring)-1)] = mark{offset: offset}
	w.tail++
	return seq
}

// done marks a record as done and reports whether the watermark moved.
func (w *watermark) done(seq uint64) bool {
	mask := uint64(len(w.ring) - 1)
	w.ring[seq&mask].done = true
	moved := false
	for w.head < w.tail && w.ring[w.head&mask].done {
		w.next = w.ring[w.head&mask].offset + 1
		w.head++
		moved = true
	}
	return moved
}

// skipTo records that nothing below offset is to be done, beyond what was added. It
// says whether the watermark moved.
func (w *watermark) skipTo(offset int64) bool {
	if w.head != w.tail || offset <= w.next {
		return false
	}
	w.next = offset
	return true
}

// open returns how many records there are from the watermark to the newest.
func (w *watermark) open() int { return int(w.tail - w.head) }

func (w *watermark) grow() {
	const first = 64
	ring := make([]mark, max(first, 2*len(w.ring)))
	for seq := w.head; seq < w.tail; seq++ {
		ring[seq&uint64(len(ring)-1)] = w.ring[seq&uint64(len(w.ring)-1)]
	}
	w.ring = ring
}
