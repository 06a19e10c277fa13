package paymentech

import (
	"bytes"
	"strings"
)

const (
	// minCard is the shortest card number (ISO/IEC 7812-1: 12 to 19 digits in
	// practice); a run of fewer digits isn't one.
	minCard = 12
	// maxPhone is the longest telephone number that a profile holds. What is
	// longer there is something else.
	maxPhone = 14
	shown    = 4 // PCI DSS 4.0, 3.4.1 allows more
)

// masked returns a text of an answer with card and bank account numbers reduced
// to their last four digits. It takes anything: JSON, half JSON, XML, a proxy's
// page. It MUST run before anything else sees an answer, its errors included
// (TestNoCardNumberGetsOut).
//
// A run of twelve digits or more, single spaces and hyphens between them left
// aside, is taken for a card number wherever it stands; no check digit is asked
// for, since a mistyped number is somebody's number still. Members of JSON that
// hold other long numbers are let through by name: a telephone number, and the
// reference that was asked by.
func masked(answer []byte, ref string) []byte {
	if !bytes.ContainsAny(answer, "0123456789") {
		return answer
	}
	answer = plainDigits(answer)
	out := make([]byte, 0, len(answer)+8)
	key := ""
	for len(answer) > 0 {
		open := bytes.IndexByte(answer, '"')
		if open < 0 {
			return maskRuns(out, answer, minCard, true)
		}
		out = append(maskRuns(out, answer[:open], minCard, true), '"')
		answer = answer[open+1:]
		end := stringEnd(answer)
		text := answer[:end]
		answer = answer[end:]
		if isKey(answer) {
			key = string(text)
			out = append(out, text...)
		} else {
			out = maskMember(out, key, text, ref)
		}
		if len(answer) > 0 {
			out, answer = append(out, '"'), answer[1:]
		}
	}
	return out
}

// maskedValue returns one decoded text of a member, masked.
func maskedValue(member, text, ref string) string {
	return string(maskMember(nil, member, []byte(text), ref))
}

// maskMember appends the text of a member.
func maskMember(out []byte, member string, text []byte, ref string) []byte {
	switch strings.ToLower(member) {
	case "customerrefnum":
		if ref != "" && strings.EqualFold(string(text), ref) {
			return append(out, text...)
		}
		return maskRuns(out, text, minCard, false)
	case "customerphone":
		return maskRuns(out, text, maxPhone+1, false)
	case "ecpcheckdda", "ecpaccountdda", "ccaccountnum", "mbaccountnum":
		return maskRuns(out, text, shown+1, false)
	default:
		return maskRuns(out, text, minCard, false)
	}
}

// stringEnd returns where a JSON string ends that was begun; at the end of the text
// where it doesn't.
func stringEnd(b []byte) int {
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return len(b)
}

// isKey reports whether what follows a string makes it a member's name.
func isKey(after []byte) bool {
	after = bytes.TrimLeft(after[min(1, len(after)):], " \t\r\n")
	return len(after) > 0 && after[0] == ':'
}

// maskRuns appends text with the digits of each run of at least as many but the
// last four as asterisks. A bare number of JSON becomes a string, which it has
// to be with asterisks in it.
func maskRuns(out, text []byte, least int, bare bool) []byte {
	for i := 0; i < len(text); {
		if !isDigit(text[i]) {
			out = append(out, text[i])
			i++
			continue
		}
		end, digits := runEnd(text, i)
		run := text[i:end]
		if digits < least {
			out = append(out, run...)
			i = end
			continue
		}
		quoted := bare && isNumber(out, text[end:])
		if quoted {
			out = append(out, '"')
		}
		for _, c := range run {
			if isDigit(c) {
				if digits > shown {
					c = '*'
				}
				digits--
			}
			out = append(out, c)
		}
		if quoted {
			out = append(out, '"')
		}
		i = end
	}
	return out
}

// runEnd returns where a run of digits ends, and how many it has. One space or
// hyphen between two digits belongs to it.
func runEnd(text []byte, from int) (end, digits int) {
	for i := from; i < len(text); i++ {
		switch c := text[i]; {
		case isDigit(c):
			digits++
			end = i + 1
		case (c == ' ' || c == '-') && i == end && i+1 < len(text) && isDigit(text[i+1]):
		default:
			return end, digits
		}
	}
	return end, digits
}

// isNumber reports whether a run between the two stands as a number of JSON.
func isNumber(before, after []byte) bool {
	before, after = bytes.TrimRight(before, " \t\r\n"), bytes.TrimLeft(after, " \t\r\n")
	return len(before) > 0 && bytes.IndexByte([]byte(":,["), before[len(before)-1]) >= 0 &&
		(len(after) == 0 || bytes.IndexByte([]byte(",]}"), after[0]) >= 0)
}

// plainDigits undoes JSON's escapes of digits (\u0034), behind which a number
// could hide.
func plainDigits(b []byte) []byte {
	if !bytes.Contains(b, []byte(`\u003`)) {
		return b
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		switch {
		case b[i] != '\\':
			out = append(out, b[i])
		case i+5 < len(b) && string(b[i+1:i+5]) == "u003" && isDigit(b[i+5]):
			out = append(out, b[i+5])
			i += 5
		default: // another escape, whole: its second byte may be a backslash
			out = append(out, b[i])
			if i++; i < len(b) {
				out = append(out, b[i])
			}
		}
	}
	return out
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
