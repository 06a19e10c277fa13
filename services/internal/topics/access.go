package topics

import (
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
)

// Access is what one user of the cluster may do with topics: a user for each service,
// each worker, and each kind of outsider. It is the one table of who reads and who
// writes which topic: what services check at their start, the ACLs of
// `habeas topics access` and deploy/kafka, and the users of the embedded broker come
// of it (TestAccess).
type Access struct {
	// User is the principal's name, without User: before it.
	User string
	// Reads are topics, each read by the group of the same place in Groups; a group's name
	// that ends in a dot begins the names of those that it may read by; empty: without one.
	Reads, Groups []string
	Writes        []string
	// SeesTopics and SeesGroups begin the names of topics and groups of which it only
	// asks how far they are.
	SeesTopics, SeesGroups string
	// Makes is the prefix of the topics that it makes and compares.
	Makes string
}

// The users of the cluster. A worker's is [WorkerUser].
const (
	UserIntake      = "habeas-intake"
	UserCoordinator = "habeas-coordinator"
	UserAggregator  = "habeas-aggregator"
	UserLetters     = "habeas-letters"
	UserConsole     = "habeas-console"
	UserTopics      = "habeas-topics"
	// UserProducer is an upstream system that sends requests by Kafka.
	UserProducer = "habeas-producer"
	// UserFollower is who follows the facts: by a group of its own, whose name begins
	// as [FollowerGroup] does.
	UserFollower = "habeas-follower"
	// UserOperator is who looks at what was rejected, by groups that begin as
	// [OperatorGroup] does, and at how far everybody is.
	UserOperator = "habeas-operator"
	// UserReconciler is habeas reconcile: it reads what was submitted and the facts, after
	// the journal was restored from a backup, without a group; and habeas replay, which
	// tells facts again.
	UserReconciler = "habeas-reconciler"
)

// These begin the names of the groups of those who follow the facts, and of operators.
const (
	FollowerGroup = "follower."
	OperatorGroup = "operator."
)

// topicPrefix begins the name of every topic here.
const topicPrefix = "dsar."

// groupPrefix begins the names of the groups of all services and workers.
const groupPrefix = "habeas."

// WorkerUser returns the user of a system's worker.
func WorkerUser(system string) string { return "habeas-worker-" + system }

// WorkerGroup returns the consumer group of a system's worker.
func WorkerGroup(system string) string { return "habeas.worker." + system }

// Accesses returns what each user may do, in an installation with these systems.
func Accesses(systems []string) []Access {
	all := []Access{
		{User: UserIntake, Reads: []string{event.TopicRequests}, Groups: []string{"habeas.intake"}, Writes: []string{event.TopicRejected}},
		{User: UserCoordinator, Reads: []string{event.TopicReports, event.TopicEvents}, Groups: []string{"habeas.coordinator", "habeas.watch"},
			Writes: append(tasks(append([]string{dsar.Aggregator}, systems...)), event.TopicEvents, event.TopicRejected)},
		{User: UserAggregator, Reads: []string{event.TopicTasks(dsar.Aggregator)}, Groups: []string{"habeas.aggregator"}, Writes: []string{event.TopicReports, event.TopicRejected}},
		{User: UserLetters, Reads: []string{event.TopicEvents}, Groups: []string{"habeas.letters"}},
		{User: UserConsole, SeesTopics: event.TopicTasks(""), SeesGroups: WorkerGroup("")},
		{User: UserTopics, Makes: topicPrefix},
		{User: UserProducer, Writes: []string{event.TopicRequests}},
		{User: UserFollower, Reads: []string{event.TopicEvents}, Groups: []string{FollowerGroup}},
		{User: UserOperator, Reads: []string{event.TopicRejected}, Groups: []string{OperatorGroup}, SeesTopics: topicPrefix, SeesGroups: groupPrefix},
		{User: UserReconciler, Reads: []string{event.TopicRequests, event.TopicEvents}, Groups: []string{"", ""}, Writes: []string{event.TopicEvents}},
	}
	for _, s := range systems {
		all = append(all, Access{User: WorkerUser(s), Reads: tasks([]string{s}), Groups: []string{WorkerGroup(s)}, Writes: []string{event.TopicReports, event.TopicRejected}})
	}
	return all
}

// tasks returns the topics of systems' tasks.
func tasks(systems []string) []string {
	out := make([]string, len(systems))
	for i, s := range systems {
		out[i] = event.TopicTasks(s)
	}
	return out
}

// ACL is one right on one thing of the cluster.
type ACL struct {
	Operation string `json:"operation"` // as kafka-acls has it: Read, Write, Describe, DescribeConfigs, Create
	Resource  string `json:"resource"`  // topic, group
	Name      string `json:"name"`
	Prefixed  bool   // of all names that begin so
}

// ACLs returns the least rights that are enough. Read and write imply describe.
func (a Access) ACLs() (out []ACL) {
	for i, topic := range a.Reads {
		out = append(out, ACL{"Read", "topic", topic, false})
		if group := a.Groups[i]; group != "" {
			out = append(out, ACL{"Read", "group", group, strings.HasSuffix(group, ".")})
		}
	}
	for _, topic := range a.Writes {
		out = append(out, ACL{"Write", "topic", topic, false})
	}
	if a.SeesTopics != "" {
		out = append(out, ACL{"Describe", "topic", a.SeesTopics, true}, ACL{"Describe", "group", a.SeesGroups, true})
	}
	if a.Makes != "" {
		for _, operation := range []string{"Create", "Describe", "DescribeConfigs"} {
			out = append(out, ACL{operation, "topic", a.Makes, true})
		}
	}
	return out
}
