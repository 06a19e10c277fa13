package node

import (
	"slices"
	"strings"

	"habeas.dev/pkg/bus"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/installation"
	"habeas.dev/services/internal/topics"
)

// Roles names the services that a node runs.
type Roles struct {
	Intake, Coordinator, Aggregator, Letters, Console, Portal bool
	// Worker tells whether the node runs a system's worker; nil: none.
	Worker func(system string) bool
	// Embedded gives the node a broker of its own where the configuration names
	// none, and the sandbox where the configuration asks for it.
	Embedded bool
}

// Everything returns the roles of a process that runs every service.
func Everything() Roles {
	return Roles{Intake: true, Coordinator: true, Aggregator: true, Letters: true, Console: true, Portal: true, Worker: func(string) bool { return true }, Embedded: true}
}

// service returns the name by which traces and metrics know a process of these roles: that
// of its service, habeas where it runs several.
func (r Roles) service(c config.Config) string {
	var names []string
	for name, runs := range map[string]bool{"intake": r.Intake, "coordinator": r.Coordinator, "aggregator": r.Aggregator, "letters": r.Letters, "console": r.Console, "portal": r.Portal} {
		if runs {
			names = append(names, name)
		}
	}
	for name, s := range c.Systems {
		if r.runsWorker(name, s) {
			names = append(names, "worker-"+name)
		}
	}
	switch {
	case len(names) == 1:
		return "habeas-" + names[0]
	case r.Worker != nil && !r.Intake:
		return "habeas-worker"
	default:
		return "habeas"
	}
}

// parts returns what the services of the roles need of an installation: intake no outbox,
// unless a caller may fetch answers.
func (r Roles) parts(c config.Config) installation.Parts {
	fetched := false
	for _, caller := range c.Callers {
		fetched = fetched || caller.Fetches
	}
	opens := r.Coordinator || r.Letters || r.Console
	seals := r.byItself() && c.Vault.SealingKey != ""
	return installation.Parts{
		Journal: r.Intake || opens || r.Portal,
		Vault:   opens || r.Intake && !seals,
		Sealer:  seals,
		Objects: r.Aggregator || r.Worker != nil,
		Outbox:  r.Intake && fetched || r.Coordinator || r.Aggregator || r.Letters || r.Console || r.Portal,
	}
}

// byItself reports whether this is an intake, and nothing in the process opens what it seals.
func (r Roles) byItself() bool { return r.Intake && !r.Coordinator && !r.Letters && !r.Console }

// onBus reports whether a service of the roles needs Kafka; the portal doesn't.
func (r Roles) onBus() bool {
	return r.Intake || r.Coordinator || r.Aggregator || r.Letters || r.Console || r.Worker != nil
}

// runsWorker reports whether a system's worker runs in this process.
func (r Roles) runsWorker(name string, s config.System) bool {
	return r.Worker != nil && r.Worker(name) && !(r.Embedded && s.Elsewhere)
}

// users returns the users of the cluster whose rights services of these roles need.
func (r Roles) users(all []topics.Access) []topics.Access {
	return slices.DeleteFunc(slices.Clone(all), func(a topics.Access) bool {
		switch a.User {
		case topics.UserIntake:
			return !r.Intake
		case topics.UserCoordinator:
			return !r.Coordinator
		case topics.UserAggregator:
			return !r.Aggregator
		case topics.UserLetters:
			return !r.Letters
		default:
			system, worker := strings.CutPrefix(a.User, topics.WorkerUser(""))
			return !worker || r.Worker == nil || !r.Worker(system)
		}
	})
}

// topics returns those among all topics that services of these roles read or
// write: a service's ACLs let it see no others.
func (r Roles) topics(all []bus.TopicSpec, systems []string) []bus.TopicSpec {
	needed := map[string]bool{}
	for _, a := range r.users(topics.Accesses(systems)) {
		for _, topic := range slices.Concat(a.Reads, a.Writes) {
			needed[topic] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(s bus.TopicSpec) bool { return !needed[s.Name] })
}
