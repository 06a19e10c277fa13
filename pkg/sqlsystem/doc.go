// Package sqlsystem is a worker from a manifest alone: a system whose records
// lie in the tables of PostgreSQL, SQLite or MariaDB needs no Go of its own. The manifest
// says which tables, which columns hold which identifiers, how a record is
// erased and how long it must stay; [System] has every ability of pkg/worker in
// its batch form, with one query for many people.
//
// # What holds
//
//   - Only what the manifest declares is read. [New] fails where the database
//     lacks a table or a column of it, naming the line (TestMissing).
//   - Identifiers reach the database as bound parameters and nothing else, and
//     names of tables and columns only as the manifest has them, quoted
//     (TestNasty).
//   - A record is the person's where it holds one of their identifiers. A row
//     that the database returns and that can't be told to belong to one of the
//     people asked for is an error, never somebody's record.
//   - Ways are a union: a row is the person's where one of them leads to it, comes once
//     however many do, and each way has an index of its own (TestWays, TestUnionIsServed).
//     What becomes of it is what those ways say that lead to it, of all who are erased
//     together.
//   - The same rows give the same records on every database, in the same order
//     (TestDatabasesAgree): dates as 2020-01-31, instants in UTC as RFC 3339,
//     numbers without trailing zeros, objects as what their JSON says.
//   - An erasure keeps to its plan: it goes by the plan's keys, and by asking anew for
//     what came since, so that a row is erased though what led to it is gone
//     (TestLeadGoesFirst), and left where it leads to somebody else by now, by whatever
//     way (TestSomebodyElsesByNow). What is gone already is counted as gone. One transaction
//     holds a batch; where the database refuses a row, one holds each person, and
//     whose row it is fails, told by which trigger, rule or constraint (TestRefusals).
//   - A number that resolve found is somebody else's where it was given anew once its row
//     was gone: nothing is asked by it, and what it would find is left and named
//     (TestNumberGivenAnew, TestChainOfNumbers, TestWhatMovedIsNamed).
//   - Nothing else goes. What foreign keys, triggers and rules would delete or change
//     beyond the plan, over any number of tables, is known from the catalogue before
//     the first row is touched, and refused with the way there unless the dataset's
//     cascades let it go (TestReachProperty); before the commit, what the database
//     itself counted in the transaction is held against what was to go.
//   - What the database would refuse of the values that an erasure sets, [New] finds
//     by the catalogue: null into NOT NULL, a constant into a unique column, what a
//     type or a CHECK doesn't take (TestFits).
//   - What must stay, stays: see [manifest.Retention]. Of several rules the one
//     that holds longest counts. A record without the date from which a period
//     runs must stay, with no end, unless the rule says undated: go.
//   - A table that the database's user may not read or change, at start or at any
//     time later, is named as not covered, and the rest is done
//     (TestNothingIsLostToMissingPermissions); so is one of which policies of row
//     security may hide rows (TestFilteredByPolicies). In an erasure, the rows by which those
//     out of reach are found stay and are named too. A database that is read-only,
//     and a table of sql.resolve that is forbidden, fail the task.
//   - Rows that refer to others by a foreign key are erased before them, whether or
//     not the manifest says so. Where the database deletes rows that must stay with
//     others (ON DELETE CASCADE), [New] fails (TestCascade).
//   - Gathering and planning take memory by the number of people in a batch, not by their
//     records. Erasing and proving hold the plan's keys, some 600 bytes each.
//
// # How identifiers are compared
//
// By the equivalences of pkg/identifier, as far as a database can compute them
// ([identifier.Plain]): blanks at the ends don't count, nor case in an e-mail
// address, nor what a telephone number is written with; addresses in other letters
// than ASCII cost a look at each row (TestWritings). An identifier of another type
// in a column that has an index, but none on the column without blanks, is compared
// as it is stored: [System.AsStored] names it.
//
// What sql.resolve finds in a column that takes several writings for equal (COLLATE NOCASE,
// citext, a collation of MariaDB's) is looked for in all of them, as that column compares
// (TestFoundAsCompared): asked for before each search are the writings that there are. Where
// that column has several itself, which aren't all the person's, rows with yet another are left
// and named. [System.Unlike] names the columns that are compared by bytes otherwise than the
// database does.
//
// Joins compare texts as that column does in which no two rows have the same, be it the near or
// the far one (TestJoinedAsCompared): what refers to ann can mean Ann only. Where several rows may
// have it, or both sides are unique and don't compare alike, they are joined by their bytes, and
// named (TestJoinsByBytes). A number is joined to a text that is its digits, or what the database
// writes it as (TestNumbersBesideTexts).
//
// Else, in MariaDB, whose collations take é for e, and in PostgreSQL by a collation that isn't
// deterministic (TestJoinsAreExact), what is equal is told by bytes, and the
// column's own index narrows the search (TestMariaCollations): docs/databases.md has what
// differs.
//
// # Indexes
//
// A query asks by the columns that the manifest names in subject, of each of its ways, and
// in sql.resolve.by; joins are followed from there to the dataset's rows. Each wants an index, those of type email and phone one on what is
// compared: [System.Advice], and with it habeas lint, says which is missing and how
// it is made.
//
// Stability: stable: a name that changes stands in the CHANGELOG.
package sqlsystem
