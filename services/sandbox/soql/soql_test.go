package soql

import (
	"errors"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"select Id from Contact":                                          "SELECT Id FROM Contact",
		"SELECT COUNT() FROM Contact":                                     "SELECT COUNT() FROM Contact",
		"SELECT Id,\n Contact.Email FROM Case WHERE IsClosed=false":       "SELECT Id, Contact.Email FROM Case WHERE IsClosed = false",
		"SELECT Id FROM C WHERE a <> 1 AND b >= -2.5 AND c = null":        "SELECT Id FROM C WHERE a != 1 AND b >= -2.5 AND c = null",
		"SELECT Id FROM C WHERE (a=1 AND b=2) OR NOT(c<3)":                "SELECT Id FROM C WHERE (a = 1 AND b = 2) OR NOT c < 3",
		`SELECT Id FROM C WHERE n = 'o\'b\"r\\i\nen'`:                     `SELECT Id FROM C WHERE n = 'o\'b\"r\\i\nen'`,
		`SELECT Id FROM C WHERE n = 'a"b'`:                                `SELECT Id FROM C WHERE n = 'a\"b'`,
		`SELECT Id FROM C WHERE n LIKE '50\%\_\\%'`:                       `SELECT Id FROM C WHERE n LIKE '50\%\_\\%'`,
		"SELECT Id FROM C WHERE n IN ('a','b') AND m NOT IN (1)":          "SELECT Id FROM C WHERE n IN ('a', 'b') AND m NOT IN (1)",
		"SELECT Id FROM T WHERE w IN (SELECT Id FROM C WHERE e='x')":      "SELECT Id FROM T WHERE w IN (SELECT Id FROM C WHERE e = 'x')",
		"SELECT Id FROM C WHERE d > 2020-01-31":                           "SELECT Id FROM C WHERE d > 2020-01-31",
		"SELECT Id FROM C WHERE d > 2020-01-31T10:00:00+01:00":            "SELECT Id FROM C WHERE d > 2020-01-31T09:00:00.000Z",
		"SELECT a.b, count(Id) n, MAX(c) FROM C group by a.b":             "SELECT a.b, COUNT(Id) n, MAX(c) FROM C GROUP BY a.b",
		"SELECT Id, (SELECT Id, x FROM Ds WHERE y=1 LIMIT 2) FROM C":      "SELECT Id, (SELECT Id, x FROM Ds WHERE y = 1 LIMIT 2) FROM C",
		"SELECT Id FROM C ORDER BY a DESC NULLS LAST, b LIMIT 5 OFFSET 2": "SELECT Id FROM C ORDER BY a DESC NULLS LAST, b LIMIT 5 OFFSET 2",
	} {
		q, err := Parse(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := q.String(); got != want {
			t.Errorf("%s\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestMalformed(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                             "unexpected token: '<EOF>'",
		"SELECT":                       "unexpected token: '<EOF>'",
		"SELECT FROM Contact":          "unexpected token: 'FROM'",
		"SELECT * FROM Contact":        "unexpected char: '*'",
		"SELECT Id FROM Contact WHERE": "unexpected token: '<EOF>'",
		"SELECT Id FROM Contact;":      "unexpected char: ';'",
		"SELECT Id FROM C WHERE a=1 AND b=2 OR c=3":                                  "unexpected token: 'OR'",
		"SELECT Id FROM C WHERE n = 'o'brien'":                                       "unexpected token: 'brien'",
		`SELECT Id FROM C WHERE n = 'a\xb'`:                                          "invalid escape",
		"SELECT Id FROM C WHERE n = 'a":                                              "unexpected end of a string",
		"SELECT Id FROM C WHERE n = 'a\nb'":                                          "Line breaks",
		`SELECT Id FROM C WHERE n = "a"`:                                             "unexpected char",
		"SELECT Id FROM C WHERE n IN ()":                                             "unexpected token: ')'",
		"SELECT Id FROM C WHERE d = 2020-13-01":                                      "unexpected token: '2020-13-01'",
		"SELECT Id FROM C WHERE n LIKE 5":                                            "unexpected token: '5'",
		"SELECT SUM(Id) FROM C":                                                      "unknown function: 'SUM'",
		"SELECT MAX() FROM C":                                                        "COUNT() must stand alone",
		"SELECT Id, COUNT() FROM C":                                                  "COUNT() must stand alone",
		"SELECT Id, COUNT(a) FROM C":                                                 "must be grouped or aggregated: Id",
		"SELECT a FROM C GROUP BY b":                                                 "must be grouped or aggregated: a",
		"SELECT a FROM C GROUP BY a HAVING COUNT(b) > 1":                             "unexpected token: 'HAVING'",
		"SELECT Id, (SELECT Id, (SELECT Id FROM E) FROM D) FROM C":                   "unexpected token: '('",
		"SELECT Id, (SELECT COUNT() FROM D) FROM C":                                  "unexpected token: 'COUNT'",
		"SELECT Id, (SELECT Id FROM D FROM C":                                        "unexpected token: 'FROM'",
		"SELECT Id FROM C LIMIT -1":                                                  "unexpected token: '-1'",
		"SELECT Id FROM C LIMIT 1 OFFSET 2001":                                       "OFFSET cannot be more",
		"SELECT a.b.c.d.e.f.g FROM C":                                                "levels of relationships",
		"SELECT Id FROM C WHERE x IN (SELECT y FROM D WHERE z IN (SELECT w FROM E))": "Nesting",
		"SELECT Id FROM C WHERE " + strings.Repeat("(", 100) + "a=1":                 "nested too deeply",
		"SELECT Id FROM C WHERE " + strings.Repeat("NOT ", 100) + "a=1":              "nested too deeply",
		"SELECT Id FROM C WHERE a='" + strings.Repeat("x", MaxString+1) + "'":        "4000 characters",
		"SELECT Id FROM C WHERE a='" + strings.Repeat("x", MaxQuery) + "'":           "100000 characters",
		"SELECT Id FROM C WHERE a='\xff'":                                            "UTF-8",
	} {
		_, err := Parse(in)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%.80s: want an *Error, got %v", in, err)
			continue
		}
		if !strings.Contains(e.Error(), want) {
			t.Errorf("%.80s: %v; want it to say %s", in, e, want)
		}
	}
}

// A message that quotes the query must not quote a string in it.
func TestErrorHoldsNoStrings(t *testing.T) {
	t.Parallel()
	_, err := Parse("SELECT Id FROM C WHERE a = 'x' 'secret'")
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Fatalf("got %v", err)
	}
}

func TestPosition(t *testing.T) {
	t.Parallel()
	_, err := Parse("SELECT Id\nFROM C WHERE ?")
	var e *Error
	if !errors.As(err, &e) || e.Line != 2 || e.Column != 14 {
		t.Fatalf("got %+v", e)
	}
}

func TestLike(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"abc", "ABC", true}, {"a%", "abc", true}, {"%c", "abc", true}, {"a_c", "abc", true}, {"a_c", "ac", false},
		{"%", "", true}, {"", "", true}, {"", "a", false}, {`a\_c`, "abc", false}, {`a\_c`, "a_c", true}, {`50\%`, "50%", true}, {`50\%`, "50x", false},
		{"%a%a%a%b", strings.Repeat("a", 200), false}, {"é_", "Éß", true}, {`\\%`, `\x`, true},
	} {
		if got := CompileLike(c.pattern).Match(c.text); got != c.want {
			t.Errorf("%q LIKE %q: %v", c.text, c.pattern, got)
		}
	}
}

// FuzzParse: no input makes the parser panic, what it reads it writes back as
// the same query, and its errors point into the input.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"SELECT Id, Contact.Email FROM Case WHERE (a=1 AND b='x\\'y') OR c NOT IN (null, true, 2020-01-01, 2020-01-31T10:00:00Z)",
		"SELECT a, COUNT_DISTINCT(b) n, (SELECT Id FROM Ds WHERE x=1 LIMIT 2) FROM C GROUP BY a",
		"SELECT COUNT() FROM C WHERE NOT(a LIKE 'x\\%%') LIMIT 3 OFFSET 1",
		"SELECT Id FROM T WHERE WhoId IN (SELECT Id FROM Contact WHERE Email='o\\'brien@example.com') ORDER BY a DESC NULLS LAST",
		"SELECT Id FROM C WHERE a = +1e3", "SELECT Id FROM C WHERE a='\\\\'",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		q, err := Parse(src)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Pos < 0 || e.Pos > len(src) || e.Line < 1 || e.Column < 1 {
				t.Fatalf("%v: %+v", err, e)
			}
			return
		}
		text := q.String()
		again, err := Parse(text)
		if err != nil {
			// Escaping may lengthen a query or a string beyond the limit.
			if len(text) > MaxQuery/2 {
				return
			}
			t.Fatalf("%q was written as %q, which isn't read: %v", src, text, err)
		}
		if again.String() != text {
			t.Fatalf("%q was written as %q, then as %q", src, text, again.String())
		}
	})
}
