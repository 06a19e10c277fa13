//go:build !race

package truth

// defaultRuns is how many runs every change is held to.
const defaultRuns = 500
