package main

import (
	"context"
	"os"

	"habeas.dev/services/habeas/bench"
)

type benchCommand struct {
	Requests int      `help:"How many access requests go through the pipeline at full load." default:"3000"`
	Lone     int      `help:"How many requests are sent one by one, for the time of a lone one." default:"200"`
	BundleGB float64  `help:"The size of the large bundle's payload in GB; 0 leaves it out." default:"5"`
	Data     string   `help:"Where the files of the measurement go; else among the system's temporary files. They are removed." placeholder:"DIR" type:"path"`
	Profile  string   `help:"Write a CPU profile of the load to this file." placeholder:"FILE" type:"path"`
	Allocs   string   `help:"Write a profile of what was allocated, from the start until the load has ended, to this file." placeholder:"FILE" type:"path"`
	Warm     int      `help:"How many requests go through Apache Kafka before anything is measured: a broker that has just started spends its first minute compiling itself." default:"3000"`
	Brokers  []string `help:"Measure on this Kafka cluster instead of the embedded broker; its topics are made where they are missing." placeholder:"HOST:PORT" and:"production"`
	Postgres string   `help:"Measure with the journal in this PostgreSQL database, in a schema that is removed." placeholder:"URL" and:"production"`
}

// Run measures, and prints a table.
func (c *benchCommand) Run(ctx context.Context) error {
	return bench.Run(ctx, bench.Config{Requests: c.Requests, Lone: c.Lone, BundleGB: c.BundleGB, Dir: c.Data, CPUProfile: c.Profile, Allocs: c.Allocs,
		Warm: c.Warm, Brokers: c.Brokers, Postgres: c.Postgres, Version: version}, os.Stdout)
}
