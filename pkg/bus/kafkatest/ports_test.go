package kafkatest

import "testing"

// TestPortsAreGivenOnce: also while nobody listens on them yet.
func TestPortsAreGivenOnce(t *testing.T) {
	t.Parallel()
	given := map[int]bool{}
	for range 200 {
		claim, ports := claimPorts(perBlock - 1)
		t.Cleanup(func() { _ = claim.Close() })
		for _, p := range ports {
			if given[p] {
				t.Fatalf("port %d is given twice", p)
			}
			given[p] = true
		}
	}
}
