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

// checkPrefix takes any beginning of a name that has a whole system in it.
func checkPrefix(prefix string) error {
	if !strings.Contains(prefix, "/") {
		return fmt.Errorf("vault: prefix: %w: want <system>/, and more of a name if need be", ErrName)
	}
	return checkObjectName(strings.TrimSuffix(prefix, "/"))
}

// checkScope takes <system>/<action>/<attempt>.
func checkScope(scope string) error {
	if strings.Count(scope, "/") != 2 || strings.Contains(scope[strings.LastIndexByte(scope, '/'):], "-") {
		return fmt.Errorf("vault: object name: %w: want <system>/<action>/<attempt>-<random>", ErrName)
	}
	return checkObjectName(scope)
}

// ScopeOf returns the scope of an object's name, which is the name up to the attempt: what
// its key is of.
func ScopeOf(name string) string {
	attempt := strings.LastIndexByte(name, '/') + 1
	if i := strings.IndexByte(name[attempt:], '-'); i >= 0 {
		return name[:attempt+i]
	}
	return name
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// The places in the buckets. Objects lie by system and then by request, so that a
// system's worker can be given its own part of the bucket; behind these the name is
// flattened: on a file system each directory more would cost as much as a file.
const (
	indexKey      = "index"
	keysPrefix    = "keys/"
	objectsPrefix = "objects/"
	packsPrefix   = "requests/"
)

func objectKey(requestID, name string) string {
	system, rest, _ := strings.Cut(name, "/")
	return objectsPrefix + system + "/" + requestID + "/" + strings.ReplaceAll(rest, "/", "~")
}
