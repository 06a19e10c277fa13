package worker

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/identifier"
)

// differing returns an error where the records that a correction is to change hold different
// values in a field: they may be of several people who share an address, and one would overwrite
// what is another's, and be told it. What is blank, or is already what it is to be, says nothing;
// two writings of one text are one value, and so are two of one identifier, where people are
// found by the column. Where a person has decided that the field is corrected all the same, what
// stood there is told to nobody.
func (f *formerValues) differing(leadsBy func(dataset, column string) []dsar.IdentifierType) error {
	first, differ := map[dsar.Field]string{}, map[dsar.Field]bool{}
	for _, v := range f.values {
		if v.was == nil {
			continue
		}
		was, field := fmt.Sprint(v.was), dsar.Field{Dataset: v.dataset, Column: v.column}
		types := leadsBy(v.dataset, v.column)
		if written(was) == "" || sameValue(types, was, fmt.Sprint(v.is)) {
			continue
		}
		before, held := first[field]
		switch {
		case !held:
			first[field] = was
		case sameValue(types, before, was):
		case f.lets(CodeOthersValue, v.dataset, v.column):
			differ[field] = true
		default:
			return Because(dsar.Cause{Dataset: v.dataset, Columns: []string{v.column}}, Permanent(CodeOthersValue, "the records hold different values in "+v.dataset+"."+v.column+", so that some may be somebody else's: nothing was corrected; look at the records, and let it go on, refuse the field, or correct by hand what is the person's", nil))
		}
	}
	f.values = slices.DeleteFunc(f.values, func(v formerValue) bool {
		return differ[dsar.Field{Dataset: v.dataset, Column: v.column}]
	})
	return nil
}

// sameValue reports whether two texts are writings of one value, which may be an identifier of
// some types.
func sameValue(types []dsar.IdentifierType, a, b string) bool {
	return written(a) == written(b) || slices.ContainsFunc(types, func(t dsar.IdentifierType) bool { return identifier.Rules{}.Same(t, a, b) })
}

// written returns a text as it is compared: without regard to case, to how many blanks there
// are, and to how its marks are written.
func written(text string) string {
	return strings.ToLower(strings.Join(strings.Fields(norm.NFKC.String(text)), " "))
}
