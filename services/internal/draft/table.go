package draft

import (
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/sqlsystem"
)

// state is what becomes of a table in the draft.
type state uint8

const (
	unreached state = iota // nothing leads to it
	dataset                // it is a dataset
	technical              // it says nothing of a person, by its columns
)

// table is a table of the database, and what the draft makes of it.
type table struct {
	sqlsystem.Surveyed
	stem    []string
	columns []*column
	root    *root
	edges   []*edge
	state   state
	depth   int // how many tables lie between it and the root
	parent  *edge
	ways    []*way
	erasure
	notes []string // what a person must decide
}

// column is a column, and what it seems to hold.
type column struct {
	sqlsystem.SurveyedColumn
	words  []string
	shape  shape
	secret manifest.Secret
	// keyed are the keys of values that look like addresses, where the column is the
	// value of a table of keys and values.
	keyed []string
}

func newTable(s sqlsystem.Surveyed) *table {
	t := &table{Surveyed: s}
	for _, c := range s.Columns {
		t.columns = append(t.columns, &column{SurveyedColumn: c, words: manifest.NameWords(c.Name)})
	}
	return t
}

func (t *table) column(name string) *column {
	i := slices.IndexFunc(t.columns, func(c *column) bool { return c.Name == name })
	if i < 0 {
		i = slices.IndexFunc(t.columns, func(c *column) bool { return strings.EqualFold(c.Name, name) })
	}
	if i < 0 {
		return nil
	}
	return t.columns[i]
}

func (t *table) columnNames() string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

// unique reports whether a column by itself tells the rows apart.
func (t *table) unique(name string) bool {
	return slices.ContainsFunc(t.Unique, func(u []string) bool { return len(u) == 1 && strings.EqualFold(u[0], name) })
}

// inUnique reports whether a column is part of a key or unique index.
func (t *table) inUnique(name string) bool {
	return slices.ContainsFunc(t.Unique, func(u []string) bool { return slices.Contains(u, name) })
}

// keyless reports whether no column tells the rows apart.
func (t *table) keyless() bool {
	return len(t.Key) == 1 && (t.Key[0] == "ctid" || t.Key[0] == "rowid") && t.column(t.Key[0]) == nil
}

// classes of types, of which two columns that refer to each other are of one.
const (
	classInt  = "integer"
	classUUID = "uuid"
	classText = "text"
	classElse = ""
)

func (c *column) class() string {
	typ := strings.ToLower(c.Type)
	switch {
	case strings.Contains(typ, "[]"), strings.Contains(typ, "interval"), strings.Contains(typ, "point"):
		return classElse
	case strings.Contains(typ, "int"), strings.Contains(typ, "serial"):
		return classInt
	case typ == "uuid":
		return classUUID
	case strings.Contains(typ, "char"), strings.Contains(typ, "text"), strings.Contains(typ, "clob"), typ == "", typ == "citext":
		return classText
	default:
		return classElse
	}
}

// alike reports whether two columns can hold the same identifier.
func (c *column) alike(o *column) bool { return c.class() == o.class() && c.class() != classElse }

// typ returns the manifest's type of what a column holds, and the unit in which it counts
// moments.
func (c *column) typ() (typ, unit string) {
	t := strings.ToLower(c.Type)
	switch {
	case strings.HasSuffix(t, "[]"), strings.Contains(t, "json"), t == "hstore":
		return "object", ""
	case strings.Contains(t, "bool"), strings.HasPrefix(t, "tinyint(1)"):
		return "boolean", ""
	case t == "date":
		return "date", ""
	case strings.Contains(t, "timestamp"), strings.Contains(t, "datetime"):
		return "datetime", ""
	case strings.Contains(t, "interval"), strings.Contains(t, "point"):
		return "", ""
	case strings.Contains(t, "int"), strings.Contains(t, "serial"):
		if c.shape == shapeSeconds || c.shape == shapeMilliseconds {
			if said(c.words, "at", "on", "time", "timestamp", "date", "since", "until", "expires", "expiry", "created", "updated", "seen") {
				return "datetime", map[shape]string{shapeSeconds: "seconds", shapeMilliseconds: "milliseconds"}[c.shape]
			}
		}
		if c.refers() {
			return "", ""
		}
		return "integer", ""
	case strings.Contains(t, "numeric"), strings.Contains(t, "decimal"), strings.Contains(t, "real"), strings.Contains(t, "double"), strings.Contains(t, "float"), t == "money":
		return "number", ""
	case c.class() == classText && c.shape == shapeJSON:
		return "object", ""
	default:
		return "", ""
	}
}

// refers reports whether a column's name is that of a number that stands for something.
func (c *column) refers() bool {
	w := lastWord(c.words)
	return w == "id" || w == "by" || w == "ref" || w == "uuid"
}

// searched reports whether a column is of what a database makes for itself to search by.
func (c *column) searched() bool {
	t := strings.ToLower(c.Type)
	return t == "tsvector" || strings.HasPrefix(t, "geometry") || strings.HasPrefix(t, "vector")
}

// isEmail reports whether a column holds addresses.
func (c *column) isEmail() bool {
	if c.class() != classText || c.secret.Hides() || said(c.words, "verified", "confirmed", "notification", "notifications", "template", "subject", "body", "hash", "digest", "token", "domain", "frequency", "type", "status", "key", "password", "settings", "format", "sent", "at", "id") {
		return false
	}
	return c.shape == shapeEmail || c.shape == shapeNone && said(c.words, "email", "mail", "emailaddress")
}

// isPhone reports whether a column holds telephone numbers.
func (c *column) isPhone() bool {
	return c.class() == classText && said(c.words, "phone", "mobile", "telephone", "fax", "cellphone")
}

// identifies returns the type of identifier that a column holds.
func (c *column) identifies() dsar.IdentifierType {
	switch {
	case c.isEmail():
		return "email"
	case c.isPhone():
		return "phone"
	}
	if typ := strings.Join(c.words, "_"); identifierForm.MatchString(typ) {
		return dsar.IdentifierType(typ)
	}
	return "identifier"
}

// personal reports whether a column seems to say something of a person, by its name or by
// what it holds.
func (c *column) personal() bool {
	return c.isEmail() || c.isPhone() || c.secret.Hides() || slices.Contains([]shape{shapeEmail, shapeIP, shapeIBAN, shapeCard, shapeHash}, c.shape) ||
		c.class() != classInt && said(c.words, "firstname", "lastname", "fullname", "surname", "nickname", "username", "login", "given", "family", "birth", "birthday", "birthdate", "born", "dob", "gender", "sex", "street", "city", "zip", "postcode", "postal", "address", "ip", "avatar", "bio", "biography", "latitude", "longitude", "lat", "lon", "lng", "iban", "vat", "tax", "user", "email", "phone", "signature", "useragent", "nationality", "religion", "recipient", "cardholder", "holder") ||
		c.class() == classText && (equalAny(c.words, "first name", "last name", "full name", "display name", "user name", "user agent", "middle name"))
}

// free reports whether a column holds free text, by its name or by what it holds.
func (c *column) free() bool {
	return c.class() == classText && (c.shape == shapeProse || said(c.words, "body", "text", "content", "message", "comment", "note", "notes", "description", "bio", "subject", "title", "summary", "remark"))
}

// special reports whether a column's name is of a special category of data.
func (c *column) special() bool {
	return c.class() != classElse && !c.refers() && said(c.words, "religion", "ethnicity", "race", "health", "diagnosis", "disability", "orientation", "union", "political", "genetic", "allergy", "allergies", "medical")
}

func equalAny(of []string, phrases ...string) bool {
	return slices.Contains(phrases, strings.Join(of, " "))
}

// personal reports whether a table seems to hold something of people.
func (t *table) personal() bool { return slices.ContainsFunc(t.columns, (*column).personal) }
