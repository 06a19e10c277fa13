package node

import (
	"slices"
	"strings"

	"habeas.dev/pkg/bus"
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/event"
	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/installation"
)

// Roles names the services that a node runs.
type Roles struct {
	Intake, Coordinator, Aggregator, Letters, Console bool
	// Worker tells whether the node runs a system's worker; nil: none.
	Worker func(system string) bool
	// Embedded gives the node a broker of its own where the configuration names
	// none, and the sandbox where the configuration asks for it.
	Embedded bool
}

// Everything returns the roles of a process that runs every service.
func Everything() Roles {
	return Roles{Intake: true, Coordinator: true, Aggregator: true, Letters: true, Console: true, Worker: func(string) bool { return true }, Embedded: true}
}

// parts returns what the services of the roles need of an installation.
func (r Roles) parts() installation.Parts {
	return installation.Parts{
		Journal: r.Intake || r.Coordinator || r.Letters || r.Console,
		Vault:   r.Intake || r.Aggregator || r.Letters || r.Console || r.Worker != nil,
		Outbox:  r.Aggregator || r.Letters,
	}
}

// runsWorker reports whether a system's worker runs in this process.
func (r Roles) runsWorker(name string, s config.System) bool {
	return r.Worker != nil && r.Worker(name) && !(r.Embedded && s.Elsewhere)
}

// topics returns those among all topics that services of these roles read or
// write: a service's ACLs may let it see no others.
func (r Roles) topics(all []bus.TopicSpec) []bus.TopicSpec {
	return slices.DeleteFunc(slices.Clone(all), func(s bus.TopicSpec) bool {
		switch system, task := strings.CutPrefix(s.Name, event.TopicTasks("")); {
		case r.Coordinator: // its relay carries to all of them
			return false
		case task && system == dsar.Aggregator:
			return !r.Aggregator
		case task:
			return r.Worker == nil || !r.Worker(system)
		case s.Name == event.TopicRequests:
			return !r.Intake
		case s.Name == event.TopicReports:
			return !r.Aggregator && r.Worker == nil
		case s.Name == event.TopicEvents:
			return !r.Letters
		default: // what can't be read is put aside by all of them
			return false
		}
	})
}
