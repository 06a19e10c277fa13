package vault_test

import (
	"fmt"
	"testing"
)

// BenchmarkSealer makes a request's keys in memory: by the master key, by the master key
// of a vault that has a sealing key, and by the sealing key.
func BenchmarkSealer(b *testing.B) {
	h := newHouse(b)
	v := h.opens()
	run := func(name string, create func(id string) error) {
		b.Run(name, func(b *testing.B) {
			for n := 0; b.Loop(); n++ {
				if err := create(fmt.Sprintf("%s-%d", name, n)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	run("master", func(id string) error { _, err := v.CreateKeys(b.Context(), id); return err })
	s := h.seals(h.key(false))
	v = h.opens()
	run("master-with-part", func(id string) error { _, err := v.CreateKeys(b.Context(), id); return err })
	run("sealing", func(id string) error { _, err := s.CreateKeys(b.Context(), id); return err })
	run("opened", func(id string) error {
		if _, err := s.CreateKeys(b.Context(), id); err != nil {
			return err
		}
		_, err := v.Keys(b.Context(), id)
		return err
	})
}
