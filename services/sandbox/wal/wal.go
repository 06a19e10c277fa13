// Package wal keeps what a stand-in's callers changed: an append-only file of
// one JSON value a line, read again at the next start. A line is handed to the
// operating system before its change is answered, so that a change that was
// acknowledged outlives the process (kill -9), if not the machine.
package wal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// maxLine bounds one change: 200 records with every field at its largest.
const maxLine = 16 << 20

// Log is the file of one stand-in. Its methods are safe for concurrent use.
type Log struct {
	mu   sync.Mutex
	file *os.File
	end  int64 // behind the last whole line
}

type header struct {
	Of string `json:"of"`
}

// Open opens or creates the log at a path and calls replay with every change in
// it, in order. The text of tells what the changes apply to (a population's
// digest): a log of something else is refused. A last line that was cut off is
// dropped: its change was never acknowledged.
func Open(path, of string, replay func(change []byte) error) (*Log, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("changes of the sandbox: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("changes of the sandbox: %w", err)
	}
	end, err := read(f, of, replay)
	if err == nil {
		err = f.Truncate(end)
	}
	l := &Log{file: f, end: end}
	if err == nil && end == 0 {
		err = l.Append(header{of})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("changes of the sandbox in %s: %w", path, err), f.Close())
	}
	return l, nil
}

// read replays the whole lines and returns where they end.
func read(f *os.File, of string, replay func([]byte) error) (int64, error) {
	r := bufio.NewReaderSize(f, 1<<16)
	var end int64
	for n := 0; ; n++ {
		line, err := r.ReadBytes('\n')
		if err == io.EOF {
			return end, nil
		}
		if err != nil {
			return end, err
		}
		if len(line) > maxLine {
			return end, fmt.Errorf("line %d is longer than %d bytes", n+1, maxLine)
		}
		if n == 0 {
			var h header
			if err := json.Unmarshal(line, &h); err != nil || h.Of != of {
				return end, fmt.Errorf("it belongs to another population: use another directory, or the seed and size of the first start")
			}
		} else if err := replay(bytes.TrimSpace(line)); err != nil {
			return end, fmt.Errorf("line %d: %w", n+1, err)
		}
		end += int64(len(line))
	}
}

// Append adds one change. A nil log keeps nothing.
func (l *Log) Append(change any) error {
	if l == nil {
		return nil
	}
	line, err := json.Marshal(change)
	if err != nil {
		return fmt.Errorf("changes of the sandbox: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.file.WriteAt(append(line, '\n'), l.end)
	if err != nil {
		// A full disk: what was written of the line goes, the log stays whole.
		return errors.Join(fmt.Errorf("changes of the sandbox: %w", err), l.file.Truncate(l.end))
	}
	l.end += int64(n)
	return nil
}

// Close closes the file. A nil log closes.
func (l *Log) Close() error {
	if l == nil {
		return nil
	}
	return l.file.Close()
}
