//go:build !race

package truth

const (
	// defaultRuns is how many runs TestTruth plays: half a minute.
	defaultRuns = 500
	// postgresRuns is how many of them are played on PostgreSQL as well.
	postgresRuns = 20
	// spoiltAnswers is how many of the first answers each alone is spoilt.
	spoiltAnswers = 3
	// meanwhileShare is how many times fewer TestMeanwhile plays.
	meanwhileShare = 2
)
