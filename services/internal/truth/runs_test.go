//go:build !race

package truth

const (
	// defaultRuns is how many runs TestTruth plays: half a minute.
	defaultRuns = 500
	// spoiltAnswers is how many of the first answers each alone is spoilt.
	spoiltAnswers = 5
)
