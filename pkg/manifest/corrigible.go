package manifest

// Corrigible returns the columns of a dataset that a person may have corrected: those that
// the manifest lists under sql: or, for the system's own worker, under worker:. Where it says
// nothing, said is false, and the worker decides.
func (m *Manifest) Corrigible(dataset string) (columns []string, said bool) {
	d := m.Dataset(dataset)
	switch {
	case d == nil:
		return nil, false
	case d.SQL != nil:
		return d.SQL.Corrigible(), true
	case d.Worker.IsZero():
		return nil, false
	}
	var own struct {
		Rectify []string `yaml:"rectify"`
	}
	if d.Worker.Decode(&own) != nil || own.Rectify == nil {
		return nil, false
	}
	return own.Rectify, true
}
