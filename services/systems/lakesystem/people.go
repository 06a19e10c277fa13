package lakesystem

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/iceberg-go"
	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"habeas.dev/pkg/worker"
)

// people are those who are looked for in one pass over a table, each by its place among the
// pass's tasks.
type people struct {
	s *System
	d *dataset
	// of has, for each of the dataset's subjects, who is meant by a value.
	of []map[string][]int
	// asked tells, for each of the subjects, which tasks name an identifier of its type.
	asked []map[int]bool
}

// people returns those whom tasks are about.
func (s *System) people(d *dataset, tasks []*worker.Task) *people {
	p := &people{s: s, d: d}
	for _, sub := range d.subjects {
		of, asked := map[string][]int{}, map[int]bool{}
		for i, t := range tasks {
			for _, id := range t.Known() {
				if id.Type != sub.typ {
					continue
				}
				for _, form := range s.forms(sub, id.Value) {
					asked[i] = true
					if !slices.Contains(of[form], i) {
						of[form] = append(of[form], i)
					}
				}
			}
		}
		p.of, p.asked = append(p.of, of), append(p.asked, asked)
	}
	return p
}

// forms returns the forms in which an identifier is looked up: the one in which each stored value
// is brought first, or, of a column that is compared as it is stored, every one that it may
// be stored in, as in a database.
func (s *System) forms(sub subject, value string) []string {
	n := s.identifiers.Normalise(sub.typ, value)
	switch {
	case n == "":
		return nil
	case !sub.exact:
		return []string{n}
	case sub.uuid:
		return []string{strings.ToLower(n)}
	default:
		return distinct(append(s.identifiers.Forms(sub.typ, value), value, norm.NFD.String(value)))
	}
}

// meant returns who is meant by a value of a subject's column.
func (p *people) meant(sub int, value string) []int {
	if who := p.of[sub][value]; who != nil {
		return who
	}
	if p.d.subjects[sub].exact {
		return nil
	}
	return p.of[sub][p.s.identifiers.Normalise(p.d.subjects[sub].typ, value)]
}

// nobody reports whether no task names an identifier that the dataset is asked by.
func (p *people) nobody() bool {
	return !slices.ContainsFunc(p.of, func(of map[string][]int) bool { return len(of) > 0 })
}

// filter returns the condition under which a file can hold something of these people: true
// where only reading it tells. It is asked of partitions and of the statistics of whole
// files, and never of rows: of a row group with as many nulls as values iceberg-go 0.7 takes
// it that it holds nulls only (TestAsManyNullsAsValues).
func (p *people) filter(schema *iceberg.Schema) iceberg.BooleanExpression {
	var e iceberg.BooleanExpression = iceberg.AlwaysFalse{}
	for i, sub := range p.d.subjects {
		if len(p.of[i]) == 0 {
			continue
		}
		if !sub.exact {
			return iceberg.AlwaysTrue{}
		}
		one, known := among(schema, sub.column, slices.Sorted(maps.Keys(p.of[i])))
		if !known {
			return iceberg.AlwaysTrue{}
		}
		e = iceberg.NewOr(e, one)
	}
	return e
}

// among returns the condition that a column holds one of some values, which are sorted. It
// is made of short lists: statistics are asked of no long one. Not known is a column whose
// type has more than one writing of a value.
func among(schema *iceberg.Schema, column string, values []string) (e iceberg.BooleanExpression, known bool) {
	field, there := schema.FindFieldByName(column)
	if !there {
		return nil, false
	}
	ref := iceberg.Reference(column)
	e = iceberg.AlwaysFalse{}
	for part := range slices.Chunk(values, literals) {
		var one iceberg.BooleanExpression
		switch field.Type.(type) {
		case iceberg.StringType:
			one = iceberg.IsIn(ref, part...)
		case iceberg.Int64Type:
			one = iceberg.IsIn(ref, parse(part, func(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) })...)
		case iceberg.Int32Type:
			one = iceberg.IsIn(ref, parse(part, func(s string) (int32, error) {
				n, err := strconv.ParseInt(s, 10, 32)
				return int32(n), err
			})...)
		case iceberg.UUIDType:
			one = iceberg.IsIn(ref, parse(part, uuid.Parse)...)
		default:
			return nil, false
		}
		e = iceberg.NewOr(e, one)
	}
	return e, true
}

// parse returns those of values that are of a type: no row holds the others.
func parse[T any](values []string, read func(string) (T, error)) []T {
	var out []T
	for _, s := range values {
		if v, err := read(s); err == nil {
			out = append(out, v)
		}
	}
	return out
}
