package event

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
)

// violations lists the places and rules in a validator's tree of errors. The
// validator's own texts quote the data: none of them is used.
func violations(err error) *DataError {
	var tree *jsonschema.ValidationError
	if !errors.As(err, &tree) {
		return dataError(codeInvalid, "the data can't be checked")
	}
	var found []Violation
	var walk func(*jsonschema.ValidationError)
	walk = func(e *jsonschema.ValidationError) {
		if len(e.Causes) == 0 && len(found) < MaxViolations {
			v := Violation{Pointer: pointer(e.InstanceLocation), Rule: rule(e.ErrorKind)}
			if !slices.Contains(found, v) {
				found = append(found, v)
			}
		}
		for _, cause := range e.Causes {
			walk(cause)
		}
	}
	walk(tree)
	// The validator's order follows Go's maps: sort, so that the same mistake
	// has the same text each time.
	slices.SortFunc(found, func(a, b Violation) int {
		if c := strings.Compare(a.Pointer, b.Pointer); c != 0 {
			return c
		}
		return strings.Compare(a.Rule, b.Rule)
	})
	return Invalid(found...)
}

func pointer(location []string) string {
	var b strings.Builder
	for _, token := range location {
		b.WriteByte('/')
		b.WriteString(escapePointer.Replace(token))
	}
	return b.String()
}

// escapePointer escapes a token of a JSON Pointer (RFC 6901, section 3). A Replacer
// is safe to share.
var escapePointer = strings.NewReplacer("~", "~0", "/", "~1")

// rule describes what a schema asks for, and never quotes what was found.
func rule(k jsonschema.ErrorKind) string {
	switch k := k.(type) {
	case *kind.Type:
		return "must be of type " + strings.Join(k.Want, " or ")
	case *kind.Required:
		return "must have " + quoted(k.Missing)
	case *kind.AdditionalProperties:
		return "must not have the unknown " + quoted(printable(k.Properties))
	case *kind.Enum:
		return "must be one of " + list(k.Want)
	case *kind.Const:
		return "must be " + value(k.Want)
	case *kind.Pattern:
		return "must have the form " + inASCII(k.Want)
	case *kind.Format:
		return "must have the format " + k.Want
	case *kind.MinLength:
		return fmt.Sprintf("must have at least %d characters", k.Want)
	case *kind.MaxLength:
		return fmt.Sprintf("must have at most %d characters", k.Want)
	case *kind.MinItems:
		return fmt.Sprintf("must have at least %d items", k.Want)
	case *kind.MaxItems:
		return fmt.Sprintf("must have at most %d items", k.Want)
	case *kind.UniqueItems:
		return "must not have the same item twice"
	case *kind.Minimum:
		return "must be at least " + k.Want.RatString()
	case *kind.Maximum:
		return "must be at most " + k.Want.RatString()
	case *kind.FalseSchema:
		return "must not be there"
	case *kind.Not:
		return "must not be so"
	default:
		// A keyword that no schema of ours uses today.
		return "must satisfy " + strings.Join(k.KeywordPath(), "/")
	}
}

func quoted(names []string) string {
	q := make([]string, len(names))
	for i, n := range slices.Sorted(slices.Values(names)) {
		q[i] = strconv.Quote(n)
	}
	return strings.Join(q, ", ")
}

// plainName matches member names that a program would use. Any other may be a value
// in the wrong place, and so personal data; it isn't quoted.
var plainName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,39}$`)

// maxNames is how many unknown members an error names.
const maxNames = 5

// printable returns the names that may be quoted, sorted, and a mark for those that
// may not.
func printable(names []string) []string {
	var out []string
	for _, n := range slices.Sorted(slices.Values(names)) {
		switch {
		case len(out) == maxNames:
			return append(out, "…")
		case plainName.MatchString(n):
			out = append(out, n)
		case !slices.Contains(out, "(not a plain name)"):
			out = append(out, "(not a plain name)")
		}
	}
	return out
}

// list joins a schema's own values, which may be quoted.
func list(values []any) string {
	s := make([]string, len(values))
	for i, v := range values {
		s[i] = value(v)
	}
	return strings.Join(s, ", ")
}

func value(v any) string {
	if s, ok := v.(string); ok {
		return strconv.Quote(s)
	}
	return fmt.Sprint(v)
}

// inASCII returns a pattern whose other letters are escaped as in JSON: some of those that
// it forbids turn the direction of what is read. Of a run of several ranges, as of the letters
// of all scripts, it has the first character and the last.
func inASCII(pattern string) string {
	return beyondASCII.ReplaceAllStringFunc(pattern, func(run string) string {
		var b strings.Builder
		chars := []rune(strings.ReplaceAll(run, "-", ""))
		if len(chars) > 2 {
			return fmt.Sprintf("\\u%04x...\\u%04x", chars[0], chars[len(chars)-1])
		}
		for _, r := range run {
			if r < utf8.RuneSelf {
				b.WriteRune(r)
			} else {
				fmt.Fprintf(&b, "\\u%04x", r)
			}
		}
		return b.String()
	})
}

// beyondASCII is a run of characters and ranges of a pattern's class.
var beyondASCII = regexp.MustCompile(`[^\x00-\x7f](-?[^\x00-\x7f])*`)
