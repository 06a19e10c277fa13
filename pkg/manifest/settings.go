package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// WorkerSettings reads what the manifest says of a dataset under worker: into a
// value of the worker's own, whose fields have yaml tags; a field that it
// doesn't have is an error. The value stays as it is where there is nothing.
// The error is an [Error].
func (m *Manifest) WorkerSettings(dataset int, into any) error {
	d := &m.Datasets[dataset]
	if d.Worker.IsZero() {
		return nil
	}
	text, err := yaml.Marshal(&d.Worker)
	if err == nil {
		decoder := yaml.NewDecoder(bytes.NewReader(text))
		decoder.KnownFields(true)
		err = decoder.Decode(into)
	}
	if err == nil || errors.Is(err, io.EOF) {
		return nil
	}
	_, what := yamlError(err)
	return m.WorkerProblem(dataset, what, "see the worker's documentation for what it takes here")
}

// WorkerProblem returns an [Error] about what the manifest says of a dataset under
// worker:, for a worker that checks it.
func (m *Manifest) WorkerProblem(dataset int, what, cure string) error {
	path := index("datasets", dataset) + ".worker"
	return m.problem(path, fmt.Sprintf("dataset %s: %s", m.Datasets[dataset].Name, what), cure)
}
