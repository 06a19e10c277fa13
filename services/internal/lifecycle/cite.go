package lifecycle

import (
	"encoding/hex"
	"slices"

	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/journal"
)

// hash is that of a fact, in the request's chain.
type hash [journal.HashSize]byte

// chain computes the hashes that facts get when they are appended: a task that follows
// from them names them, and goes out with them (TestAnswersCiteTheJournal).
type chain struct {
	journal *journal.Chain
	prev    []byte
}

// newChain continues the chain of a request.
func newChain(v versioned) *chain {
	c := &chain{journal: journal.NewChain()}
	if n := len(v.hashes); n > 0 {
		c.prev = v.hashes[n-1][:]
	}
	return c
}

// next returns the hash of a fact that follows the last one.
func (c *chain) next(f journal.Fact) hash {
	c.prev = c.journal.Next(nil, c.prev, &f)
	return hash(c.prev)
}

// cite names facts by their versions and hashes, in order and each once.
func cite(versions []int, hashes []hash) []core.Cited {
	slices.Sort(versions)
	out := make([]core.Cited, 0, len(versions))
	for _, v := range slices.Compact(versions) {
		if v >= 1 && v <= len(hashes) {
			out = append(out, core.Cited{Seq: v, Hash: hex.EncodeToString(hashes[v-1][:])})
		}
	}
	return out
}

// versions returns the versions of so many facts.
func versions(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i + 1
	}
	return out
}
