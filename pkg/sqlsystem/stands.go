package sqlsystem

import (
	"context"
	"database/sql"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/worker"
)

// otherwise says that a database took a correction, and that rows hold another value than
// the person gave: it rounded or cut it, or a trigger wrote something else. All of it is
// undone.
type otherwise struct {
	d      *dataset
	column string // as the manifest has it
}

func (e *otherwise) Error() string {
	return "the database holds another value in " + e.d.Name + "." + e.column + " than was written to it"
}

func (e *otherwise) said() error {
	reason := fmt.Sprintf("the database rounds, cuts or changes the corrected value of %s.%s, so that another would stand there, and nothing was corrected: have the column take it, ask the person for a value that it holds, or correct it by hand", e.d.Name, e.column)
	return worker.Because(dsar.Cause{Dataset: e.d.Name, Table: e.d.SQL.Table, Columns: []string{e.column}}, worker.Permanent(dsar.CodeWrittenOtherwise, reason, e))
}

// stands reads what rows hold in the columns of an update that was made, in its transaction,
// as a gather would read it, and tells the job: a column may hold the value in a writing of
// its own (7 for 007, and what a trigger has in capitals). Another value is an error.
func (s *System) stands(ctx context.Context, tx *sql.Tx, u update, j *counted, keys []string) error {
	keys, err := u.d.rowKeys(keys)
	if err != nil {
		return err
	}
	fields := make([]*field, len(u.names))
	for i, name := range u.names {
		fields[i] = &u.d.columns[slices.IndexFunc(u.d.columns, func(f field) bool { return f.name == name })]
	}
	held := make([]any, len(fields)) // by the first row
	first := true
	for part := range slices.Chunk(keys, s.dialect.keysAtOnce()) {
		q := &statement{dialect: s.dialect}
		q.WriteString("SELECT ")
		for i, f := range fields {
			if i > 0 {
				q.WriteString(", ")
			}
			q.WriteString(f.expr)
		}
		q.add(" FROM ", u.d.table, " AS t WHERE ")
		if err := u.d.keyed(q, part); err != nil {
			return err
		}
		err := s.scan(ctx, tx, q, len(fields), func(row []any) error {
			for i, f := range fields {
				is := f.value(row[i])
				said := f.kind.says(u.texts[i], u.values[i], is) && (first || reflect.DeepEqual(is, held[i]))
				if !said && !j.Lets(dsar.CodeWrittenOtherwise, u.d.Name, f.name) {
					return &otherwise{u.d, f.name}
				}
				held[i] = is
			}
			first = false
			return nil
		})
		if err != nil {
			return u.d.may(reading, err)
		}
	}
	for i, f := range fields {
		if !first && j.Stands != nil {
			j.Stands(u.d.Name, f.name, held[i])
		}
	}
	return nil
}

// says reports whether what a row holds is the value that a person gave, of which the
// database was given value: the same number, day, moment or JSON; of a text the same letters
// and digits, whatever their case and what separates them.
func (k kind) says(given string, value, held any) bool {
	want := value
	if text, ok := value.(string); ok {
		want = k.text(text)
	}
	if reflect.DeepEqual(want, held) {
		return true
	}
	if k == kindObject {
		return false
	}
	has := fmt.Sprint(held)
	switch v := held.(type) {
	case nil:
		has = ""
	case float64:
		has = strconv.FormatFloat(v, 'f', -1, 64)
	}
	if a, ok := exactly(given); ok && (k != kindString || !isNumbered(given)) {
		b, also := exactly(has)
		return also && a.Cmp(b) == 0
	}
	if k == kindDatetime || k == kindString {
		a, ok := parseInstant(strings.TrimSpace(given))
		if b, also := parseInstant(has); ok && also {
			return a.Equal(b)
		}
	}
	return k == kindString && lettersOf(given) == lettersOf(has)
}

// exactly reads a text that is a decimal number, however many digits it has.
func exactly(text string) (*big.Rat, bool) {
	text = strings.TrimSpace(text)
	if strings.Trim(text, "+-.0123456789") != "" {
		return nil, false
	}
	return new(big.Rat).SetString(text)
}

// isNumbered reports whether a text of digits is what a telephone or an account number is: with
// a plus or a zero in front, without which it is another.
func isNumbered(text string) bool {
	text = strings.TrimSpace(text)
	return strings.HasPrefix(text, "+") || len(text) > 1 && text[0] == '0' && text[1] != '.'
}

// lettersOf returns the letters, digits and marks of a text, without regard to case; and a
// plus, without which a telephone number is another.
func lettersOf(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '+' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, text)
}
