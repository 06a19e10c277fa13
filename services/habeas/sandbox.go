package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"habeas.dev/services/internal/config"
	"habeas.dev/services/sandbox/internaldb"
	marketosandbox "habeas.dev/services/sandbox/marketo"
	paymentechsandbox "habeas.dev/services/sandbox/paymentech"
	"habeas.dev/services/sandbox/people"
	salesforcesandbox "habeas.dev/services/sandbox/salesforce"
)

// withSandbox adds the sandbox's systems to a configuration that asks for it.
// Where they are is known when startSandbox has started them.
func withSandbox(cfg config.Config) config.Config {
	if cfg.Sandbox == nil {
		return cfg
	}
	systems := map[string]config.System{}
	for name, s := range cfg.Systems {
		systems[name] = s
	}
	for _, name := range people.Systems() {
		if _, ok := systems[name]; !ok {
			systems[name] = config.System{}
		}
	}
	cfg.Systems = systems
	return cfg
}

// startSandbox seeds the internal databases and starts the vendors' stand-ins,
// each on a port of the loopback interface. The configuration that it returns
// says how to reach them.
func (n *node) startSandbox(ctx context.Context, cfg config.Config) (config.Config, error) {
	if cfg.Sandbox == nil {
		return cfg, nil
	}
	dir := cfg.Room(config.RoomSandbox)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return cfg, fmt.Errorf("data folder: %w; name another one with --data", err)
	}
	var population *people.Population
	if s := cfg.Sandbox; s.Canaries {
		population = people.Canaries(s.Seed, s.People)
	} else {
		population = people.Generate(people.Config{Seed: s.Seed, People: s.People})
	}
	files, err := internaldb.Create(ctx, dir, population)
	if err != nil {
		return cfg, err
	}
	for name, file := range files {
		cfg.Systems[name] = config.System{DSN: "sqlite://" + filepath.ToSlash(file)}
	}

	crm, err := salesforcesandbox.New(salesforcesandbox.Config{Population: population, Dir: dir})
	if err != nil {
		return cfg, err
	}
	n.onStop(crm.Close)
	mail, err := marketosandbox.New(marketosandbox.Config{Population: population, Dir: dir, CRM: crm})
	if err != nil {
		return cfg, err
	}
	n.onStop(mail.Close)
	pay, err := paymentechsandbox.New(paymentechsandbox.Config{Population: population, Dir: dir})
	if err != nil {
		return cfg, err
	}
	n.onStop(pay.Close)
	n.vendorCalls = func() int64 { return sum(crm.Calls()) + sum(mail.Calls()) + sum(pay.Calls()) }
	for _, v := range []struct {
		name, client, secret string
		options              map[string]string
		handler              http.Handler
	}{
		{people.Salesforce, salesforcesandbox.DefaultClientID, salesforcesandbox.DefaultClientSecret, nil, crm},
		{people.Marketo, marketosandbox.DefaultClientID, marketosandbox.DefaultClientSecret, nil, mail},
		{people.PaymentTech, paymentechsandbox.DefaultUsername, paymentechsandbox.DefaultPassword, map[string]string{"merchant_id": paymentechsandbox.DefaultMerchantID}, pay},
	} {
		s := config.System{ClientID: v.client, ClientSecretFile: filepath.Join(dir, v.name+".secret"), CallsPerSecond: -1, Options: v.options}
		if err := os.WriteFile(s.ClientSecretFile, []byte(v.secret), 0o600); err != nil {
			return cfg, fmt.Errorf("data folder: %w; name another one with --data", err)
		}
		if s.URL, err = n.serveStandIn(ctx, v.name, v.handler); err != nil {
			return cfg, err
		}
		cfg.Systems[v.name] = s
	}
	return cfg, nil
}

// serveStandIn serves on a free port of the loopback interface.
func (n *node) serveStandIn(ctx context.Context, name string, h http.Handler) (url string, err error) {
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

// sum is the sum of a stand-in's counters.
func sum(calls map[string]int64) (all int64) {
	for _, n := range calls {
		all += n
	}
	return all
}
