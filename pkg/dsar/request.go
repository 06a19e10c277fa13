package dsar

import "strings"

// ValidRequestID reports whether s is a request id as every event and every URL has
// it: a UUID in lower case, not the nil UUID (schemas/common.schema.json).
func ValidRequestID(s string) bool {
	const form = "00000000-0000-0000-0000-000000000000"
	if len(s) != len(form) || s == form {
		return false
	}
	for i := range len(s) {
		hex := '0' <= s[i] && s[i] <= '9' || 'a' <= s[i] && s[i] <= 'f'
		if dash := form[i] == '-'; dash != (s[i] == '-') || !dash && !hex {
			return false
		}
	}
	return true
}

// ReadRequestID reads a request id as a person types or pastes it, with capitals or
// blanks around it, and returns it as [ValidRequestID] wants it.
func ReadRequestID(s string) (id string, ok bool) {
	id = strings.ToLower(strings.TrimSpace(s))
	if !ValidRequestID(id) {
		return "", false
	}
	return id, true
}
