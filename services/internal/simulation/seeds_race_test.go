//go:build race

package simulation

// defaultSeeds is smaller under the race detector, which is ten times as slow
// and looks at the goroutines, of which a run has few.
const defaultSeeds = 100
