// Package lakesystem serves a system whose records lie in a data lake, from its manifest:
// tables of Apache Iceberg, by apache/iceberg-go, in the worker's own process.
//
// Many people are looked for in one pass. A table's partitions and the statistics of its
// files say which files can hold any of them; only those are read, as a stream, at most
// two at a time. An erasure writes each file that holds a record anew, without it, and
// replaces the files in one commit for each table; a refused commit is begun anew from
// the table as it is then. Delete of iceberg-go isn't used: of its ways, one brings back
// what was deleted by merge-on-read, one drops rows that hold null, one erases nothing,
// and all write more files than hold anything.
//
// Files are gone for good only when no snapshot, tag or branch has them. So earlier
// snapshots are expired after an erasure, and what still holds the person's records is
// looked for in the files themselves: those of other snapshots, and those that belong to
// none. What is found there is removed where the manifest lets it, else named, and holds
// the request open.
//
// What it can't do it refuses by name: erasing in tables of format version 3, or with
// equality deletes; writing them anew by their own engine cures both.
package lakesystem
