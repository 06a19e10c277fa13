package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"habeas.dev/pkg/telemetry"
)

// TestLogsAreWritten: whatever a line of a log is given comes through telemetry's filter,
// which writes "[redacted]" for the rest: under a known key, as an error, or vouched for.
// So nobody finds out in an outage that the line which names the cure doesn't.
func TestLogsAreWritten(t *testing.T) {
	t.Parallel()
	known := telemetry.Keys()
	seen := 0
	walk(t, func(path string) {
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "telemetry/") {
			return
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, filepath.Join(root, path), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			for key, value := range logged(call) {
				seen++
				if key != "error" && !slices.Contains(known, key) && !vouchedFor(value) {
					t.Errorf("%s: logs would have %q as %s: log it under a key of telemetry.Keys, or as telemetry.Safe", fset.Position(call.Pos()), key, telemetry.Redacted)
				}
			}
			return true
		})
	}, "pkg", "services")
	if seen < 100 {
		t.Errorf("%d attributes only", seen)
	}
}

// logged returns the attributes of a call that logs, or that makes one.
func logged(call *ast.CallExpr) map[string]ast.Expr {
	fn, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	if of, ok := fn.X.(*ast.Ident); ok && of.Name == "slog" && len(call.Args) == 2 {
		if key, ok := text(call.Args[0]); ok {
			return map[string]ast.Expr{key: call.Args[1]}
		}
		return nil
	}
	first := 1
	switch fn.Sel.Name {
	case "Debug", "Info", "Warn", "Error":
	case "DebugContext", "InfoContext", "WarnContext", "ErrorContext":
		first = 2
	case "With":
		first = 0
	default:
		return nil
	}
	if !strings.Contains(strings.ToLower(lastName(fn.X)), "log") || len(call.Args) < first {
		return nil
	}
	attrs := map[string]ast.Expr{}
	for i := first; i+1 < len(call.Args); i += 2 {
		if key, ok := text(call.Args[i]); ok {
			attrs[key] = call.Args[i+1]
		}
	}
	return attrs
}

// lastName returns the last name of a selector, log of r.cfg.log.
func lastName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	default:
		return ""
	}
}

func text(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

// vouchedFor reports whether a value is a telemetry.Safe, or an error vouched for.
func vouchedFor(e ast.Expr) bool {
	call, ok := e.(*ast.CallExpr)
	if !ok {
		return false
	}
	name := lastName(call.Fun)
	return name == "Safe" || name == "Vouch"
}
