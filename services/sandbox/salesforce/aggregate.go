package salesforce

import (
	"encoding/json"
	"strconv"
	"strings"

	"habeas.dev/services/sandbox/soql"
)

// grouping is the aggregate part of a query.
type grouping struct {
	by         []getter
	aggregates []aggregate
}

// getter is a field of a group, by its name in the answer.
type getter struct {
	name string
	get  func(*row) *value
	typ  fieldType
}

type aggregate struct {
	getter
	function string
}

func (p *planner) grouping(o *object, q *soql.Query) (*grouping, *apiError) {
	g := &grouping{}
	for _, path := range q.Groups {
		get, f, err := p.resolve(o, path)
		if err != nil {
			return nil, err
		}
		if f.typ == longType || f.typ == blobType {
			return nil, &apiError{status: 400, code: "MALFORMED_QUERY", message: p.excerpt(path.Pos) + "field '" + f.name + "' can not be grouped in a query call"}
		}
		g.by = append(g.by, getter{path.Parts[len(path.Parts)-1], get, f.typ})
	}
	for i, a := range q.Aggregates {
		get, f, err := p.resolve(o, a.Of)
		if err != nil {
			return nil, err
		}
		name := a.Alias
		if name == "" {
			name = "expr" + strconv.Itoa(i)
		}
		g.aggregates = append(g.aggregates, aggregate{getter{name, get, f.typ}, a.Function})
	}
	return g, nil
}

// answer writes the groups, in the order in which their first rows come.
func (g *grouping) answer(pl *plan, rows []*row) []byte {
	var order []string
	groups := map[string][]*row{}
	for _, r := range rows {
		var key strings.Builder
		for _, by := range g.by {
			key.Write(by.get(r).encoded)
			key.WriteByte(0)
		}
		if groups[key.String()] == nil {
			order = append(order, key.String())
		}
		groups[key.String()] = append(groups[key.String()], r)
	}
	if len(g.by) == 0 && len(order) == 0 {
		order = []string{""} // one group, of nothing
	}
	order = order[min(max(pl.offset, 0), len(order)):]
	if pl.limit >= 0 {
		order = order[:min(pl.limit, len(order))]
	}
	records := make([]map[string]any, len(order))
	for i, key := range order {
		record := map[string]any{"attributes": map[string]string{"type": "AggregateResult"}}
		for _, by := range g.by {
			record[by.name] = json.RawMessage(by.get(groups[key][0]).encoded)
		}
		for _, a := range g.aggregates {
			record[a.name] = a.of(groups[key])
		}
		records[i] = record
	}
	return reply(map[string]any{"totalSize": len(records), "done": true, "records": records}).body
}

func (a aggregate) of(rows []*row) any {
	n, distinct := 0, map[string]bool{}
	var best *value
	for _, r := range rows {
		v := a.get(r)
		if v.null {
			continue
		}
		n++
		distinct[string(v.encoded)] = true
		if best != nil {
			if c := compareValues(a.typ, v, best); c == 0 || c < 0 != (a.function == "MIN") {
				continue
			}
		}
		best = v
	}
	switch a.function {
	case "COUNT":
		return n
	case "COUNT_DISTINCT":
		return len(distinct)
	default:
		if best == nil {
			return nil
		}
		return json.RawMessage(best.encoded)
	}
}
