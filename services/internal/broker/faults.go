package broker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"

	"habeas.dev/pkg/telemetry"
)

// faults forwards the broker's log, and remembers when the broker could not write:
// kfake goes on then as if nothing had happened, but for the record that it
// refused.
type faults struct {
	log *slog.Logger

	mu   sync.Mutex
	last string
}

// Logf implements kfake.Logger.
func (f *faults) Logf(level kfake.LogLevel, format string, args ...any) {
	var to slog.Level
	switch level {
	case kfake.LogLevelError:
		to = slog.LevelError
	case kfake.LogLevelWarn:
		to = slog.LevelWarn
	default:
		// The rest is a line per request.
		return
	}
	text := fmt.Sprintf(format, args...)
	// Its texts name topics, groups and files, never what is in a message.
	f.log.Log(context.Background(), to, "broker: the embedded broker says", "text", telemetry.Safe(text))
	if strings.HasPrefix(text, "persist") {
		f.mu.Lock()
		f.last = text
		f.mu.Unlock()
	}
}

func (f *faults) err(dir string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.last == "" {
		return nil
	}
	return dirError(dir, "could not be written", errors.New(f.last))
}
