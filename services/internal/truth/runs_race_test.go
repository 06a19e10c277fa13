//go:build race

package truth

const (
	defaultRuns   = 20 // the race detector makes them ten times slower
	postgresRuns  = 3
	spoiltAnswers = 2
	// meanwhileShare is how many times fewer TestMeanwhile plays.
	meanwhileShare = 2
)
