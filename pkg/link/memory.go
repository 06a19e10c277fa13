package link

import "sync"

// Memory makes the key of each system when it is first asked for it: for tests, and for
// programs of one process. The zero value is ready.
type Memory struct {
	mu   sync.Mutex
	keys map[string]*Key
}

// Key returns a system's key.
func (m *Memory) Key(system string) (*Key, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.keys == nil {
		m.keys = map[string]*Key{}
	}
	if m.keys[system] == nil {
		m.keys[system] = NewKey()
	}
	return m.keys[system], nil
}
