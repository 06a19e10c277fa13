package bench

import (
	"context"
	"os"
	"slices"
	"time"

	"habeas.dev/services/habeas/upstream"
)

// lone is how long requests took of which each had Habeas to itself.
type lone struct {
	took []time.Duration // sorted
	sync time.Duration   // the disk's, at the median: what one durable write takes
}

// measureLone sends requests one by one. The first few warm up, and don't count.
func measureLone(ctx context.Context, t *target, requests []upstream.Request) (lone, error) {
	ctx, cancel := context.WithTimeout(ctx, benchTime)
	defer cancel()
	var l lone
	warm := len(requests) / 10
	for i, r := range requests {
		began := time.Now()
		if err := t.submit(ctx, r); err != nil {
			return l, err
		}
		if err := t.ended(ctx, r.ID); err != nil {
			return l, err
		}
		if i >= warm {
			l.took = append(l.took, time.Since(began))
		}
	}
	slices.Sort(l.took)
	var err error
	l.sync, err = syncTime(t.config.Data)
	return l, err
}

// syncTime returns what a small durable write takes on the disk of a folder: the
// floor under everything that must be durable before it goes on.
func syncTime(dir string) (time.Duration, error) {
	f, err := os.CreateTemp(dir, "sync-*")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	took := make([]time.Duration, 50)
	for i := range took {
		began := time.Now()
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		took[i] = time.Since(began)
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}

func (l lone) report(r *results) {
	ms := func(share float64) float64 {
		return l.took[min(int(share*float64(len(l.took))), len(l.took)-1)].Seconds() * 1000
	}
	s := r.section("A lone access, submitted to bundle")
	s.add(line{what: "p50", value: ms(0.5), unit: "ms", aim: "< 150 ms"})
	s.add(line{what: "p99", value: ms(0.99), unit: "ms"})
	s.add(line{what: "one durable write on this disk, p50", value: l.sync.Seconds() * 1000, unit: "ms"})
}
