package vault

import (
	"fmt"
	"strings"
)

const (
	// maxRequestID is more than a UUID needs.
	maxRequestID = 64
	// maxName leaves room for the rest of the path in the 255 bytes that
	// common file systems give a file's name.
	maxName = 200
)

// checkRequestID keeps ids to what is safe in every store's names.
func checkRequestID(id string) error {
	if id == "" || len(id) > maxRequestID {
		return fmt.Errorf("vault: request id: %w: want 1 to %d of letters, digits, - and _", ErrName, maxRequestID)
	}
	for i := range len(id) {
		if c := id[i]; !alphanumeric(c) && c != '-' && c != '_' {
			return fmt.Errorf("vault: request id: %w: want 1 to %d of letters, digits, - and _", ErrName, maxRequestID)
		}
	}
	return nil
}

// checkObjectName takes <system>/<action>/<attempt>-<random>, and no name that
// a file system could read as something else.
func checkObjectName(name string) error {
	ok := name != "" && len(name) <= maxName
	start := true // of a segment
	for i := 0; ok && i < len(name); i++ {
		c := name[i]
		switch {
		case c == '/':
			ok, start = !start && i < len(name)-1, true
		case start:
			ok, start = alphanumeric(c), false
		default:
			ok = alphanumeric(c) || c == '-' || c == '_' || c == '.'
		}
	}
	if !ok {
		return fmt.Errorf("vault: object name: %w: want segments of letters, digits, -, _ and ., parted by /, at most %d bytes", ErrName, maxName)
	}
	return nil
}

// checkPrefix takes any beginning of a name, also the empty one.
func checkPrefix(prefix string) error {
	if prefix == "" {
		return nil
	}
	return checkObjectName(strings.TrimSuffix(prefix, "/"))
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// The places in the bucket. An object's name is flattened: on a file system a
// directory per request is enough, and each more would cost as much as a file.
const indexKey = "index"

func keysKey(requestID string) string { return "keys/" + requestID }

func objectKey(requestID, name string) string {
	return "objects/" + requestID + "/" + strings.ReplaceAll(name, "/", "~")
}
