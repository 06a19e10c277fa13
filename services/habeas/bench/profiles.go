package bench

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/pprof"
)

// profiles are the files that pprof's profiles go to; empty: none.
type profiles struct{ cpu, allocs string }

// start begins a profile of the processor's time. stop ends it, and writes the
// one of what was allocated.
func (p profiles) start() (stop func() error, err error) {
	cpu := io.NopCloser(nil)
	if p.cpu != "" {
		f, err := os.Create(p.cpu)
		if err != nil {
			return nil, fmt.Errorf("profile: %w", err)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		cpu = f
	}
	return func() error {
		pprof.StopCPUProfile() // nothing, where none runs
		return errors.Join(cpu.Close(), p.writeAllocs())
	}, nil
}

func (p profiles) writeAllocs() error {
	if p.allocs == "" {
		return nil
	}
	f, err := os.Create(p.allocs)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	return errors.Join(pprof.Lookup("allocs").WriteTo(f, 0), f.Close())
}
