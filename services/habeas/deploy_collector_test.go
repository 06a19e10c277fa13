package main

import (
	"maps"
	"slices"
	"testing"
)

// TestDeployCollector: each pipeline of the collector is made of parts that are
// there, and each part is used.
func TestDeployCollector(t *testing.T) {
	t.Parallel()
	var c struct {
		Receivers, Processors, Exporters, Extensions map[string]any
		Service                                      struct {
			Extensions []string
			Pipelines  map[string]struct{ Receivers, Processors, Exporters []string }
		}
	}
	readYAML(t, deployFolder+"/otel/collector.yaml", &c)
	var receivers, processors, exporters []string
	for _, signal := range []string{"traces", "metrics"} { // what services/internal/otlp sends
		p, ok := c.Service.Pipelines[signal]
		if !ok || len(p.Receivers) == 0 || len(p.Exporters) == 0 {
			t.Errorf("%s go nowhere", signal)
		}
		receivers, processors, exporters = append(receivers, p.Receivers...), append(processors, p.Processors...), append(exporters, p.Exporters...)
	}
	for what, pair := range map[string][2][]string{
		"receivers":  {receivers, slices.Collect(maps.Keys(c.Receivers))},
		"processors": {processors, slices.Collect(maps.Keys(c.Processors))},
		"exporters":  {exporters, slices.Collect(maps.Keys(c.Exporters))},
		"extensions": {c.Service.Extensions, slices.Collect(maps.Keys(c.Extensions))},
	} {
		for i := range pair {
			slices.Sort(pair[i])
			pair[i] = slices.Compact(pair[i])
		}
		if !slices.Equal(pair[0], pair[1]) {
			t.Errorf("%s: %v are used, %v are there", what, pair[0], pair[1])
		}
	}
}
