package sqlsystem

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
)

// overreach is the error of an erasure that would take rows outside of its plan.
type overreach struct {
	reason string
	cause  dsar.Cause
}

func (e *overreach) Error() string { return e.reason }

func errOverreach(w way, rows int) error {
	what := fmt.Sprintf("%d rows of %s", rows, w.to.name)
	if rows == 0 {
		what = "rows of " + w.to.name
	}
	verb, cure := "delete", "have "+w.from.Name+" made anonymous, change what does it, or, where they may go, add "+w.to.name+" to the dataset's cascades"
	switch {
	case w.keeps && w.does.deletes && w.end != nil:
		verb, cure = "delete", "change what does it"
	case w.does.empties:
		verb, cure = "empty (TRUNCATE)", "have it delete the rows that are meant"
	case w.trigger != nil && strings.HasSuffix(w.to.name, "()"):
		return &overreach{fmt.Sprintf("with the rows of %s the database would run %s, whose text the database's user may not read (%s): let it (SHOW CREATE ROUTINE, or SELECT on mysql.proc), or change what calls it", w.from.Name, w.to.name, w), w.cause()}
	case w.moves:
		verb, cure = "change", "have the foreign key say ON DELETE SET NULL, or take the default, and add "+w.to.name+" to the dataset's unlinks; or have "+w.from.Name+" made anonymous"
	case w.mixed != nil:
		verb, cure = "write, change or delete", "take ON DELETE from "+foreignKeys(w.mixed)+", so that nothing goes with others (the datasets' own rows are erased before what they refer to), or change the trigger"
		if of := w.setOffBy(); of != nil && of != w.from && w.from.lets(w.to.name) {
			cure = "name " + w.to.name + " in the cascades of " + of.Name + " and not in those of " + w.from.Name + ", or " + cure
		}
	case w.trigger != nil: // what it does to them isn't looked at
		verb, cure = "write, change or delete", "change what does it, or, where that may be, add "+w.to.name+" to the dataset's cascades"
	case !w.takes():
		verb, cure = "change", "have "+w.from.Name+" made anonymous, change what does it, or, where they may lose their reference, add "+w.to.name+" to the dataset's unlinks"
	}
	why := "which are nobody's in this erasure"
	switch {
	case w.keeps && w.end == nil:
		why = "which are nobody's to be changed"
	case w.keeps:
		why = "which are somebody else's, or are to be kept"
	case w.moves:
		why = "which would be another's, by the default of their reference (ON DELETE SET DEFAULT)"
	case w.mixed != nil:
		why = "which it counts together with what foreign keys do there, so that cascades can't let both"
	case w.end != nil && w.end.duties():
		if why = "of which some must stay"; w.takes() {
			cure = "have " + w.from.Name + " made anonymous, or change the foreign key"
		}
	case w.end != nil:
		why = "which are somebody else's, or are to be kept"
	}
	return &overreach{fmt.Sprintf("with the rows of %s the database would %s %s, %s (%s): %s", w.from.Name, verb, what, why, w, cure), w.cause()}
}

// Reaches looks at what erasing, correcting and restricting reach beyond the datasets' own
// rows, by the catalogue alone, and returns what the manifest doesn't let go: what meets
// such rows is refused.
func (s *System) Reaches(ctx context.Context) ([]Advice, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	r, err := s.reach(ctx, s.db)
	if over := (*overreach)(nil); errors.As(err, &over) {
		at := strings.LastIndex(over.reason, ": ")
		return []Advice{{Where: s.m.At("sql"), What: "every erasure is refused: " + over.reason[:at], Cure: over.reason[at+2:]}}, nil
	}
	if err != nil {
		return nil, err
	}
	var out []Advice
	for i, d := range s.datasets {
		ways := r.ways[d]
		if len(d.SQL.Corrigible()) > 0 || len(d.SQL.Restrict) > 0 {
			ways = append(slices.Clip(ways), slices.DeleteFunc(s.changing(d), func(w way) bool { return slices.ContainsFunc(r.ways[d], w.isToo) })...)
		}
		for _, w := range ways {
			if w.allowed && w.trigger != nil && w.end != nil && !s.dialect.measures(byTable) && !d.letsOver(w.over, w.to.name) && !s.isTouch(d, *w.trigger, w.to.name) {
				out = append(out, Advice{Where: s.m.At(fmt.Sprintf("datasets[%d].sql", i)),
					What: fmt.Sprintf("dataset %s: %s writes to %s, and not plainly to the one row only that sets it off: what has it change others is refused", d.Name, w.trigger, w.to.name),
					Cure: fmt.Sprintf("have it do nothing but UPDATE %s SET … WHERE its key = NEW's, or, where it may change others, add %s to the dataset's cascades", w.to.name, w.to.name)})
				continue
			}
			if w.allowed || w.end != nil && !w.does.empties && !w.moves && w.trigger == nil {
				continue
			}
			var over *overreach
			errors.As(errOverreach(w, 0), &over)
			what, cure, _ := strings.Cut(over.reason, "): ")
			out = append(out, Advice{Where: s.m.At(fmt.Sprintf("datasets[%d].sql", i)), What: what + ")", Cure: cure})
		}
	}
	return out, nil
}
