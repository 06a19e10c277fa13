package main

import (
	"context"
	"errors"
	"os"

	"habeas.dev/services/habeas/bench"
)

type benchCommand struct {
	Load         []string `help:"Only these loads: nine-access, nine-erasure, shop-access, shop-erasure." placeholder:"NAME" enum:"nine-access,nine-erasure,shop-access,shop-erasure"`
	Requests     int      `help:"How many accesses over nine systems." default:"3000"`
	Erasures     int      `help:"How many erasures over nine systems; at most one of each person who has an account." default:"600"`
	ShopRequests int      `help:"How many accesses, and as many erasures, of one database." default:"3000"`
	Lone         int      `help:"How many requests are sent one by one, for the time of a lone one; 0 leaves it out." default:"200"`
	BundleGB     float64  `help:"The size of the large bundle's payload in GB; 0 leaves it out." default:"5"`
	Data         string   `help:"Where the files of the measurement go; else among the system's temporary files. They are removed." placeholder:"DIR" type:"path"`
	ShopDatabase string   `help:"The one database is this empty one of PostgreSQL instead of SQLite's." placeholder:"URL"`
	Profile      string   `help:"Write a CPU profile of all loads to this file." placeholder:"FILE" type:"path"`
	Allocs       string   `help:"Write a profile of what was allocated to this file." placeholder:"FILE" type:"path"`
	Against      string   `help:"Measure another program of Habeas, of any version, and this one in turn; medians are printed." placeholder:"PROGRAM" type:"path" xor:"how"`
	Rounds       int      `help:"With --against: how often each is measured." default:"5"`
	Warm         int      `help:"How many requests go through Apache Kafka before anything is measured: a broker that has just started spends its first minute compiling itself." default:"3000"`
	Brokers      []string `help:"Measure on this Kafka cluster instead of the embedded broker; its topics are made where they are missing." placeholder:"HOST:PORT" and:"production" xor:"how"`
	Postgres     string   `help:"Measure with the journal in this PostgreSQL database, in a schema that is removed." placeholder:"URL" and:"production"`
}

// Help implements kong.HelpProvider.
func (benchCommand) Help() string {
	return `Two installations are measured, each with everything in one process. The first asks
the nine systems of the sandbox (the stand-ins' work is in the figures). The second
asks one database from a manifest alone: six tables with twenty rows of each person,
which other tools can be given too (services/habeas/bench/shop.sql). Both have a load
of accesses and a load of erasures.

  habeas bench
  habeas bench --load nine-access --lone 0 --bundle-gb 0 --profile cpu.pprof
  habeas bench --against ../before/habeas --rounds 5`
}

// Run measures, and prints a table.
func (c *benchCommand) Run(ctx context.Context) error {
	if c.Rounds < 1 || c.Requests < 1 || c.ShopRequests < 1 {
		return errors.New("--rounds, --requests and --shop-requests are at least 1")
	}
	return bench.Run(ctx, bench.Config{Loads: c.Load, Accesses: c.Requests, Erasures: c.Erasures, ShopRequests: c.ShopRequests, Lone: c.Lone, BundleGB: c.BundleGB,
		Dir: c.Data, ShopDatabase: c.ShopDatabase, CPUProfile: c.Profile, Allocs: c.Allocs, Brokers: c.Brokers, Postgres: c.Postgres, Warm: c.Warm,
		Against: c.Against, Rounds: c.Rounds, Version: builtFrom().version}, os.Stdout)
}
