package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"habeas.dev/services/internal/config"
	"habeas.dev/services/sandbox/fault"
	"habeas.dev/services/sandbox/internaldb"
	"habeas.dev/services/sandbox/people"
	"habeas.dev/services/sandbox/standin"
)

// WithSandbox adds the sandbox's systems to a configuration that asks for it.
// Where they are is known when startSandbox has started them.
func WithSandbox(cfg config.Config) config.Config {
	if cfg.Sandbox == nil {
		return cfg
	}
	systems := map[string]config.System{}
	for name, s := range cfg.Systems {
		systems[name] = s
	}
	for _, name := range sandboxed(cfg) {
		if _, ok := systems[name]; !ok {
			systems[name] = config.System{}
		}
	}
	cfg.Systems = systems
	return cfg
}

// sandboxed returns the names of the sandbox's systems that a configuration wants.
func sandboxed(cfg config.Config) []string {
	if len(cfg.Sandbox.Systems) > 0 {
		return cfg.Sandbox.Systems
	}
	return append(people.Systems(), lakes()...)
}

// folders returns where the files beside a system's rows lie.
func folders(cfg config.Config, dir, system string) map[string]string {
	if cfg.Sandbox.WithoutFiles {
		return nil
	}
	return internaldb.Folders(dir, system)
}

// startSandbox seeds the internal databases and starts the vendors' stand-ins,
// each on a port of the loopback interface. The configuration that it returns
// says how to reach them.
func (n *Node) startSandbox(ctx context.Context, cfg config.Config) (config.Config, error) {
	if cfg.Sandbox == nil {
		return cfg, nil
	}
	plan, err := fault.Parse(cfg.Sandbox.Faults, standin.Vendors())
	if err != nil {
		return cfg, err
	}
	dir := cfg.Room(config.RoomSandbox)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return cfg, fmt.Errorf("data folder: %w; name another one with --data", err)
	}
	var population *people.Population
	if s := cfg.Sandbox; s.Canaries {
		population = people.Canaries(s.Seed, s.People)
	} else {
		population = people.Generate(people.Config{Seed: s.Seed, People: s.People, Own: true, Files: !s.WithoutFiles})
	}
	wanted := sandboxed(cfg)
	databases := slices.DeleteFunc(internaldb.Systems(), func(s string) bool { return !slices.Contains(wanted, s) })
	if len(databases) > 0 {
		files, err := internaldb.Create(ctx, dir, population, databases...)
		if err != nil {
			return cfg, err
		}
		for name, file := range files {
			cfg.Systems[name] = config.System{DSN: "sqlite://" + filepath.ToSlash(file), Files: folders(cfg, dir, name)}
		}
	}

	if slices.Contains(wanted, people.Activity) {
		if cfg.Systems[people.Activity], err = makeLake(ctx, dir, population, cfg.Sandbox); err != nil {
			return cfg, err
		}
	}

	all, err := standin.Open(standin.Config{Population: population, Dir: dir, Faults: plan})
	if err != nil {
		return cfg, err
	}
	n.onStop(func() error { return standin.Close(all) })
	n.vendorCalls = func() (calls int64) {
		for _, v := range all {
			calls += sum(v.Calls())
		}
		return calls
	}
	for _, v := range all {
		if _, wanted := cfg.Systems[v.Vendor]; !wanted {
			continue
		}
		s := config.System{ClientID: v.ClientID, ClientSecretFile: filepath.Join(dir, v.Vendor+".secret"), CallsPerSecond: -1, Options: v.Options}
		if err := os.WriteFile(s.ClientSecretFile, []byte(v.Secret), 0o600); err != nil {
			return cfg, fmt.Errorf("data folder: %w; name another one with --data", err)
		}
		if s.URL, err = n.serveStandIn(ctx, v.Vendor, v.Handler); err != nil {
			return cfg, err
		}
		cfg.Systems[v.Vendor] = s
	}
	return cfg, nil
}

// serveStandIn serves on a free port of the loopback interface.
func (n *Node) serveStandIn(ctx context.Context, name string, h http.Handler) (url string, err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("stand-in for %s: %w", name, err)
	}
	server := &http.Server{Handler: h, ReadHeaderTimeout: headerTime}
	n.onStop(server.Close)
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			n.fail(fmt.Errorf("stand-in for %s: %w", name, err))
		}
	}()
	return "http://" + listener.Addr().String(), nil
}

// sum adds up a stand-in's counters.
func sum(calls map[string]int64) (all int64) {
	for _, n := range calls {
		all += n
	}
	return all
}
