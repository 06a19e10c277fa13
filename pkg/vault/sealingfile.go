package vault

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"habeas.dev/pkg/internal/secretfile"
)

// ReadSealingKey reads a sealing key's file.
func ReadSealingKey(path string) (k SealingKey, err error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return k, fmt.Errorf("vault: there is no sealing key at %s: make it with habeas keys sealing", path)
	}
	if err != nil {
		return k, fmt.Errorf("vault: sealing key: %w", diskError(path, err))
	}
	if json.Unmarshal(text, &k) != nil { // its error would repeat what is there
		return k, fmt.Errorf("%w (%s)", errNoKeyFile, path)
	}
	return k, nil
}

// WriteFile writes what the holder of the sealing key has, readable by its owner only, in
// the place of what is there.
func (k SealingKey) WriteFile(path string) error {
	text, err := json.Marshal(k)
	if err != nil {
		return fmt.Errorf("vault: sealing key: %w", err)
	}
	if err := secretfile.Write(path, append(text, '\n'), os.Rename); err != nil {
		return fmt.Errorf("vault: sealing key: %w", diskError(path, err))
	}
	return nil
}
