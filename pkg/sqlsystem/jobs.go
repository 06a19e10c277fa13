package sqlsystem

import (
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// counted is a job whose result is counts, whatever its action.
type counted struct {
	*worker.Job
	Changes []worker.Change
	Stands  func(dataset, column string, held any) // tells what stands in a corrected column; nil: nobody asks
	Counts  []dsar.Counts
	plan    *worker.Plan   // nil: nothing was planned
	planned []worker.Entry // its entries, when they were read
	late    []worker.Entry // what isn't planned and must stay, in the last try
	taken   map[taken]int  // what went, or changed, with the job's rows as the manifest lets it
	goesOn  []string       // purposes that were to end and that no flag of the job's rows stops
}

// known returns the identifiers of the job's person.
func (j *counted) known() []worker.Identifier {
	if j.ByKeys {
		return j.Owner
	}
	return j.Identifiers
}

func eraseJobs(jobs []*worker.EraseJob) []*counted {
	out := make([]*counted, len(jobs))
	for i, j := range jobs {
		out[i] = &counted{Job: &j.Job, plan: j.Plan}
	}
	return out
}

func restrictJobs(jobs []*worker.RestrictJob) []*counted {
	out := make([]*counted, len(jobs))
	for i, j := range jobs {
		out[i] = &counted{Job: &j.Job}
	}
	return out
}

func rectifyJobs(jobs []*worker.RectifyJob) []*counted {
	out := make([]*counted, len(jobs))
	for i, j := range jobs {
		out[i] = &counted{Job: &j.Job, Changes: j.Changes, Stands: j.Stands}
	}
	return out
}
