package bench

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"

	"habeas.dev/services/habeas/node"
)

// lone is how long requests took of which each had Habeas to itself.
type lone struct {
	took []time.Duration // sorted
	sync time.Duration   // the disk's, at the median: what one durable write takes
}

func measureLone(ctx context.Context, n *node.Node, submit submitter, count int) (lone, error) {
	ctx, cancel := context.WithTimeout(ctx, benchTime)
	defer cancel()
	var l lone
	const warm = 20
	for i, r := range benchRequests(n, warm+count) {
		began := time.Now()
		if err := submit(ctx, r); err != nil {
			return l, err
		}
		if err := ended(ctx, n, r.ID); err != nil {
			return l, err
		}
		if i >= warm {
			l.took = append(l.took, time.Since(began))
		}
	}
	slices.Sort(l.took)
	var err error
	l.sync, err = syncTime(n.Config.Data)
	return l, err
}

// syncTime is what a small durable write takes on the disk of a folder: the
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

func (l lone) add(r *results) {
	p := func(share float64) time.Duration { return l.took[min(int(share*float64(len(l.took))), len(l.took)-1)] }
	r.add("lone request, submitted to bundle, p50", fmt.Sprintf("%.1f ms", p(0.5).Seconds()*1000), "< 150 ms")
	r.add("lone request, submitted to bundle, p99", fmt.Sprintf("%.1f ms", p(0.99).Seconds()*1000), "")
	r.add("one durable write on this disk, p50", fmt.Sprintf("%.2f ms (a lone request takes %.0f of them)", l.sync.Seconds()*1000, float64(p(0.5))/float64(max(l.sync, 1))), "")
}
