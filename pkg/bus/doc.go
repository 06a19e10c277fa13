// Package bus is watermill's Publisher and Subscriber over Apache Kafka, by
// segmentio/kafka-go. It passes watermill's own suite (TestPubSub), against
// the embedded broker and against a real one (KAFKA_BROKERS).
//
// # What it guarantees
//
// At least once: a message that Publish has returned nil for is delivered to
// every group until it is acknowledged. It MAY come again, after a crash, a
// rebalance or a retry, so consumers MUST tolerate duplicates.
//
// Order by key: of the messages of one key in one partition, the next is
// handed out only when the one before was acknowledged (TestLanesKeepOrder);
// messages of other keys go past it (TestOthersPassAStuckKey). Messages
// without a key form one lane per partition. After a nack the same message
// comes again, after a wait (TestNackComesAgain).
//
// Growth: partitions that are added while it runs are read from their start,
// within WatchInterval and a rebalance, and written to within 6 s
// (TestPartitionsAreAddedUnderLoad). A key may then go to another partition: its
// messages stay in order where each is published after the one before was
// acknowledged, as a request's tasks are. What was published before and isn't
// done may come after what is published then.
//
// Never skipped: what is committed is the contiguous watermark, so a crash
// repeats messages but leaves none out (TestWatermarkNeverSkips). Commits
// belong to the generation of the group that handed the messages out, and are
// made by one goroutine of it; a member that lost its partitions cannot move
// their offsets (TestRebalanceLosesNothing).
//
// Bounded: messages in flight, records held and their bytes have limits; see
// SubscriberConfig. A message that is never answered holds up its key, and
// once Window further records of its partition are done, the partition. Check,
// the watchdog, names it.
//
// Transactions of other producers are respected: aborted records and markers
// are not delivered.
//
// # What a handler gets
//
// Metadata are the record's headers, one to one. The record's key is apart
// from them: Key and SetKey. A tombstone has a nil Payload. The UUID is the
// CloudEvents id (header ce_id) where there is one. PositionOf tells topic,
// partition and offset from the message's context, which is cancelled once the
// message is answered or given up.
//
// Stability: none: Habeas' services share it, and it changes with them.
package bus
