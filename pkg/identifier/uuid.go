package identifier

import "strings"

// dashes are the places of the hyphens in a UUID (RFC 9562, section 4).
var dashes = [...]int{8, 13, 18, 23}

const uuidDigits = 32

// uuidOf returns the one form of a UUID: in lower case, with hyphens. ok is false where
// the value is none. It is written in any case, with hyphens or without, in braces or not,
// and as a URN.
func uuidOf(value string) (canonical string, ok bool) {
	const urn = "urn:uuid:"
	if len(value) > len(urn) && strings.EqualFold(value[:len(urn)], urn) {
		value = value[len(urn):]
	} else if inner, braced := strings.CutPrefix(value, "{"); braced {
		if value, ok = strings.CutSuffix(inner, "}"); !ok {
			return "", false
		}
	}
	if len(value) == uuidDigits+len(dashes) {
		for _, at := range dashes {
			if value[at] != '-' {
				return "", false
			}
		}
		value = value[:8] + value[9:13] + value[14:18] + value[19:23] + value[24:]
	}
	if len(value) != uuidDigits {
		return "", false
	}
	for i := range len(value) {
		if c := value[i] | 0x20; (value[i] < '0' || value[i] > '9') && (c < 'a' || c > 'f') {
			return "", false
		}
	}
	v := strings.ToLower(value)
	return v[:8] + "-" + v[8:12] + "-" + v[12:16] + "-" + v[16:20] + "-" + v[20:], true
}

// uuidForms returns the writings of a UUID that stores have, of its one form: in lower and
// upper case each with hyphens, without, and in braces.
func uuidForms(canonical string) []string {
	var out []string
	for _, v := range []string{canonical, strings.ToUpper(canonical)} {
		out = append(out, v, strings.ReplaceAll(v, "-", ""), "{"+v+"}")
	}
	return out
}
