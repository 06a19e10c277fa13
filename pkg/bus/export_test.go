package bus

import (
	"time"

	"github.com/segmentio/kafka-go"
)

// Stalled returns what Check does, with one limit for everything.
func (s *Subscriber) Stalled(limit time.Duration) error { return s.stalled(limit, limit) }

// OnCommit has begin called before each commit, and what it returns after it.
// It MUST be called before Subscribe.
func (s *Subscriber) OnCommit(begin func(member string, generation int32, offsets map[int]int64) (end func(error))) {
	commit := s.commit
	s.commit = func(gen *kafka.Generation, topic string, offsets map[int]int64) error {
		end := begin(gen.MemberID, gen.ID, offsets)
		err := commit(gen, topic, offsets)
		end(err)
		return err
	}
}
