package core_test

import (
	"testing"

	"habeas.dev/services/internal/core"
)

// TestNeedsAreRead: what a need is written as is read as the same, and nothing else is.
func TestNeedsAreRead(t *testing.T) {
	t.Parallel()
	for _, n := range []core.Need{{Kind: core.NeedOverdue}, {Kind: core.NeedTask, System: "billing", Code: "no-permission"}, {Kind: core.NeedPlan, System: "shop", Code: "plan-too-large"}, {Kind: core.NeedErased, System: "shop", Code: core.CodeLateTooMany}} {
		if got, ok := core.ParseNeed(n.String()); !ok || got != n {
			t.Errorf("%v is read as %v, %t", n, got, ok)
		}
	}
	for _, text := range []string{"", "unknown", "task", "overdue/shop/x", "task/billing", "task/billing/x/y", "overdue//", "Task/billing/x", "task//x"} {
		if n, ok := core.ParseNeed(text); ok {
			t.Errorf("%q is read as %v", text, n)
		}
	}
}
