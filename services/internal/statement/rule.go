package statement

// rule is one kind with its condition: it returns what can be said, once for each time
// that it can.
type rule[P any] struct {
	kind Kind
	says func(P) []claim
}

// claim is what a condition allows to be said: values, and the facts that they rest on.
type claim struct {
	Values
	column string
	facts  []int
}

// when returns one claim where the condition holds.
func when(condition bool, v Values, facts ...int) []claim {
	if !condition {
		return nil
	}
	return []claim{{Values: v, facts: facts}}
}
