package lakesystem

import "time"

const (
	// DefaultTimeout bounds a call for one batch: reading and writing every file of a large
	// table once.
	DefaultTimeout = time.Hour

	// filesAtOnce is how many files are read and written at once: a file's row groups are
	// held in memory while they are written.
	filesAtOnce = 2
	// maxRounds is how often an erasure is begun anew after a refused commit, before its
	// tasks are parked.
	maxRounds = 5
	// turnTime is for how long an erasure waits until another of this process has ended: its
	// tasks are parked before they are taken to be lost.
	turnTime = 10 * time.Minute
	// openTime bounds loading a table and opening its file system, fileTime removing one file,
	// and commitTime a commit, which writes manifests and asks the catalogue. batchTime bounds
	// opening a file and reading its next rows, a row group at most; writeTime writing one file.
	openTime   = time.Minute
	fileTime   = 30 * time.Second
	commitTime = 10 * time.Minute
	batchTime  = 5 * time.Minute
	planTime   = 10 * time.Minute // reading manifests, or listing a table's folder
	writeTime  = 30 * time.Minute
	// marksFor is for how long a commit's summary says by which plans was erased, and maxMarks
	// of how many plans: a worker that died is sent anew within hours.
	marksFor = 48 * time.Hour
	maxMarks = 2000
	// busyPause is for how long tasks are parked when others commit all the time.
	busyPause = 5 * time.Minute
	// literals is how many values one IN may have for statistics to be asked: iceberg-go
	// passes over longer ones.
	literals = 200
	// orphanAge is how old a file must be that belongs to no snapshot to be removed: a
	// younger one may be of a writer that hasn't committed yet. It is iceberg's own.
	orphanAge = 72 * time.Hour
	// ownAge is how old such a file must be that this worker has written: no call lasts
	// longer, so that nobody commits it any more.
	ownAge = DefaultTimeout
	// maxBatch is how many tasks one pass takes: a pass costs by file and not by person.
	maxBatch = 1000
	// maxConnections bounds the connections to a SQL catalogue.
	maxConnections = 4
	// maxPlaces is how many places that still hold records are named.
	maxPlaces = 3
)
