// Package worker is what a system's team writes against. A system is a place
// that holds personal data; its worker finds, copies, erases, corrects or
// restricts one person's data there when a request asks for it. Implement one
// small interface per thing that the system can do, and the package does the
// rest: it receives tasks over Kafka, opens and seals what is personal, batches,
// retries, parks and reports.
//
// # Writing a worker
//
//  1. Write the manifest (pkg/manifest): what the system can do, by which
//     identifiers it is asked, and the datasets that it holds.
//
//  2. Write a type with the interface of each ability that the manifest
//     declares:
//
//     resolve     [Resolver]     find more identifiers of the same person
//     gather      [Gatherer]     copy the person's records
//     erase       [Eraser]       plan by key, erase by that plan, prove
//     rectify     [Rectifier]    change the fields that the person corrected
//     restrict    [Restricter]   stop processing, keep the records
//
//     Each method is given many jobs, one for each person. A system that can be
//     asked for many people in one call goes through them itself; one that can't
//     uses [Each].
//
//  3. Hand both to [New], which fails where an ability is declared and not
//     implemented, and the result to [Worker.Run]; or all of it to [Main], and
//     the program is ten lines.
//
//  4. Test one call with habeas.dev/pkg/worker/workertest's Ask, and prove the
//     worker with its conformance kit.
//
// The examples of this package are complete workers.
//
// # What a worker can rely on
//
// Each task names one request, one action and the subject's identifiers of the
// types that the manifest needs, in the clear: at least one
// (TestOnlyNeededIdentifiersAreOpened). A call's context ends when the worker is stopped or after
// the timeout ([WithTimeout], TestCallIsBounded). Identifiers arrive opened; what is
// written to [Records] and [PlanWriter] is sealed before it leaves the process
// (TestGather, TestPlanIsSealed); a panic is caught and reported (TestPanic).
//
// # What is asked of a worker
//
// Each of these is checked by workertest:
//
//   - A task can come twice, and its call can be cut off at any point and come
//     again. Gathering and planning MUST give the same result again. Erasing,
//     rectifying and restricting MUST succeed on what is done already: a record
//     that is gone is a success.
//   - Plan MUST name everything that is held of the person, once, by its key: what
//     erase would touch and what must stay.
//   - Erase MUST account for every planned record: erased, anonymised, retained, or
//     gone where it isn't there when it is asked for by its key. What came since the
//     plan MUST be found by asking anew, and told apart as late. Nothing else may go.
//   - Prove MUST look for the plan's keys and ask anew.
//   - A call MUST return soon after its context is over.
//   - Memory MUST NOT grow with the number of records: write each to [Records] or
//     [PlanWriter] as it comes, and go through [Plan.Entries].
//   - Personal data MUST NOT be in errors' vouched texts, logs, URLs that are
//     logged, or file names.
//   - Among several jobs, one subject's failure MUST fail that job only, and two
//     jobs MAY be of the same person.
//
// # Errors steer
//
// What a call returns, or leaves in a job's Err, decides what happens next:
//
//	nil                        reported with the outcome that its result means
//	Permanent(code, …)         reported as failed: a person must act
//	RetryAt, RetryAfter        parked: sent again at that time, nothing waits here
//	Transient(code, …)         tried again in place, at most MaxTries times within
//	any other error            about RetryWithin; then parked with a growing wait,
//	a panic                    and failed after MaxAttempts
//	the context is over        not reported: the task comes again
//
// A Permanent that a call returns for several jobs has each of them called by itself at
// once, since it may be about one person's row: it stays with whose call it fails again
// (TestOnePersonsRowFailsNobodyElse).
//
// The code and the reason of the typed errors travel in the open and are read by
// support agents: whoever writes them vouches that they hold no personal data.
// The text of a wrapped error, or of any other error, travels sealed.
//
// # The plan is a contract
//
// A plan is sealed and left in the vault; its hash is a fact of the journal. The
// tasks to erase and to prove name it: this package opens it, checks the hash, and
// fails the task where it is another (TestAnotherPlanIsRefused). A task to erase that
// names none is refused with [dsar.CodeNoPlan], and the implementation isn't called
// (TestNothingIsErasedWithoutAPlan): nothing is ever erased that only a task asks for, by
// identifiers. For each dataset
// erased + anonymised + retained + gone, late ones apart, MUST equal what was planned
// ([dsar.Unmet], TestUnmet); what falls short is named by dataset and number, is
// never proven, and waits for a person.
//
// # Guarantees of this package
//
// Tasks are delivered at least once. A task's message is acknowledged only after
// its report is (TestRunAcknowledgesAfterTheReport). A report names exactly the
// objects that its own attempt left in the vault, so that one attempt's leftovers
// never mix with another's (TestGather). [Worker.Handle] is all of this without
// Kafka: tasks in, reports out.
//
// Stability: stable: a name that changes stands in the CHANGELOG.
package worker
