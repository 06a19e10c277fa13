package store

import (
	"bytes"
	"context"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Memory is a bucket that ends with its process: for tests, and for a worker
// that is tried out. The zero value is an empty one.
type Memory struct {
	mu    sync.Mutex
	blobs map[string][]byte
}

func (m *Memory) Read(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	if err := ctx.Err(); err != nil {
		return nil, 0, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	blob, ok := m.blobs[key]
	if !ok {
		return nil, 0, ErrNotFound
	}
	return io.NopCloser(bytes.NewReader(blob)), int64(len(blob)), nil
}

func (m *Memory) Put(ctx context.Context, key string, data []byte, mode Mode) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, taken := m.blobs[key]; taken && mode.Once() {
		return ErrExists
	}
	if m.blobs == nil {
		m.blobs = map[string][]byte{}
	}
	m.blobs[key] = bytes.Clone(data) // the caller uses its buffer again
	return nil
}

func (m *Memory) Write(ctx context.Context, key string) (Writer, error) {
	return &memoryWriter{m: m, ctx: ctx, key: key}, ctx.Err()
}

func (m *Memory) Remove(ctx context.Context, prefix string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.blobs, func(key string, _ []byte) bool { return strings.HasPrefix(key, prefix) })
	return nil
}

func (m *Memory) Folders(ctx context.Context, prefix string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	folders := map[string]bool{}
	for key := range m.blobs {
		if rest, ok := strings.CutPrefix(key, prefix); ok {
			if folder, _, ok := strings.Cut(rest, "/"); ok {
				folders[folder] = true
			}
		}
	}
	return slices.Collect(maps.Keys(folders)), nil
}

// Blobs returns a copy of all that is there, by key.
func (m *Memory) Blobs() map[string][]byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.blobs)
}

// Set puts a blob there: a disk that changes what it holds.
func (m *Memory) Set(key string, content []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.blobs[key] = content
}

type memoryWriter struct {
	bytes.Buffer
	m   *Memory
	ctx context.Context // Commit fails where it is over
	key string
}

func (w *memoryWriter) Commit() error {
	return w.m.Put(w.ctx, w.key, w.Bytes(), Object)
}

func (w *memoryWriter) Abort() {}

// Names implements Lister.
func (m *Memory) Names(ctx context.Context, prefix string, f func(key string) error) error {
	for key := range m.Blobs() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if strings.HasPrefix(key, prefix) {
			if err := f(key); err != nil {
				return err
			}
		}
	}
	return nil
}
