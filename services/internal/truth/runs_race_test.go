//go:build race

package truth

// defaultRuns is smaller under the race detector, which is ten times as slow.
const defaultRuns = 20
