package main

import (
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"os/exec"
	"runtime"
	"strings"

	"habeas.dev/services/internal/config"
	"habeas.dev/services/internal/terminal"
)

type openCommand struct {
	requestFlags
	Print bool `help:"Print the address, and open nothing."`
}

// Help implements kong.HelpProvider.
func (openCommand) Help() string {
	return `The address is that of the configuration's console (console.url, else console.listen). Where this
machine has no browser, it is printed.

  habeas open 3cf5cf5f
  habeas open 3cf5cf5f --print`
}

func (c *openCommand) Run(ctx context.Context) error {
	cfg, err := c.config()
	if err != nil {
		return err
	}
	in, id, err := c.openRequest(ctx)
	if err != nil {
		return err
	}
	if err := in.Close(); err != nil {
		return err
	}
	console, err := consoleOf(cfg)
	if err != nil {
		return err
	}
	page, err := url.JoinPath(console, "requests", id)
	if err != nil {
		return err
	}
	if browser := browserOf(runtime.GOOS, os.Getenv); !c.Print && browser != nil {
		if err := exec.CommandContext(ctx, browser[0], append(browser[1:], page)...).Run(); err == nil { //nolint:gosec // a fixed program, and an address without a shell
			return nil
		}
	}
	_, err = terminal.Printf(os.Stdout, "%s\n", page)
	return err
}

// consoleOf returns the address at which browsers reach the console.
func consoleOf(cfg config.Config) (string, error) {
	c := cfg.Console
	if c.URL != "" {
		return c.URL, nil
	}
	host, port, err := net.SplitHostPort(c.Listen)
	if err != nil || port == "0" {
		return "", errors.New("the configuration says no address of the console: write console.url, as browsers reach it")
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	scheme := "http://"
	if c.TLS.Enabled() {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, port), nil
}

// browserOf returns the command that opens an address on a system; nil where there is no
// screen to open it on.
func browserOf(system string, env func(string) string) []string {
	switch system {
	case "darwin":
		return []string{"open"}
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler"}
	default:
		if strings.TrimSpace(env("DISPLAY")+env("WAYLAND_DISPLAY")) == "" {
			return nil
		}
		return []string{"xdg-open"}
	}
}
