package draft

import (
	"regexp"
	"slices"
	"strings"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// stem returns a table's words, the last in the singular.
func stem(name string) []string {
	out := manifest.NameWords(name[strings.LastIndexByte(name, '.')+1:])
	if n := len(out); n > 0 {
		out[n-1] = singular(out[n-1])
	}
	return out
}

// singular returns a noun's singular, as far as tables' names go.
func singular(word string) string {
	switch {
	case slices.Contains([]string{"status", "address", "access", "news", "gps", "sms", "series", "alias", "process", "business", "bus"}, word):
		return word
	case word == "people":
		return "person"
	case strings.HasSuffix(word, "ies") && len(word) > 4:
		return word[:len(word)-3] + "y"
	case strings.HasSuffix(word, "sses"), strings.HasSuffix(word, "xes"), strings.HasSuffix(word, "ches"), strings.HasSuffix(word, "shes"), strings.HasSuffix(word, "uses"):
		return word[:len(word)-2]
	case strings.HasSuffix(word, "s") && !strings.HasSuffix(word, "ss") && len(word) > 2:
		return word[:len(word)-1]
	default:
		return word
	}
}

// commonPrefix returns what the names of all tables begin with, as installations have it:
// wp_. It takes three tables to tell.
func commonPrefix(tables []*table) string {
	if len(tables) < 3 {
		return ""
	}
	first := tables[0].Name
	end := strings.IndexByte(first, '_') + 1
	if end == 0 {
		return ""
	}
	for _, t := range tables {
		if !strings.HasPrefix(t.Name, first[:end]) {
			return ""
		}
	}
	return first[:end]
}

func equal(a, b []string) bool { return slices.Equal(a, b) }

func lastWord(of []string) string {
	if len(of) == 0 {
		return ""
	}
	return of[len(of)-1]
}

// said reports whether some words are among others.
func said(in []string, any ...string) bool {
	return slices.ContainsFunc(in, func(w string) bool { return slices.Contains(any, w) })
}

var identifierForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)

// identifierType returns the type of identifier of a table's key: user_id of users.id.
func identifierType(stem []string, key string) dsar.IdentifierType {
	of := manifest.NameWords(key)
	if len(of) == 0 || of[0] != stem[0] {
		of = append(slices.Clone(stem), of...)
	}
	typ := strings.Join(of, "_")
	if !identifierForm.MatchString(typ) {
		return "person_id"
	}
	return dsar.IdentifierType(typ)
}

// The parts that a person has in a row, by the name of the column that names them.
const (
	roleSelf    = iota // user_id, where the people are users
	roleOwner          // author_id
	roleCreator        // created_by
	roleOther          // assignee_id, recipient_id
)

// ownerWords are those of a row's own person, and otherWords of one whom it is addressed
// to, or who did something with it.
var (
	ownerWords   = []string{"user", "account", "customer", "member", "owner", "author", "sender", "person", "profile", "client", "buyer", "subscriber", "poster", "from", "uploader", "requester", "reporter", "contact", "patient", "student", "employee", "player", "guest", "reader", "follower"}
	creatorWords = []string{"creator", "created", "inserted", "added"}
	// recipientWords are those of otherWords to whom a row is addressed.
	recipientWords = []string{"recipient", "receiver", "to", "target", "friend", "followed", "blocked", "invited"}
	otherWords     = []string{"recipient", "receiver", "to", "target", "assigned", "assignee", "approved", "approver", "updated", "modified", "changed", "deleted", "moderator", "moderated", "agent", "reviewed", "reviewer", "closed", "resolved", "resolver", "invited", "inviter", "referrer", "referred", "revoker", "revoked", "banned", "handled", "last", "out", "parent", "seller", "manager", "supervisor", "friend", "followed", "blocked", "editor", "edited"}
)

// roleOf tells the part of the person that a column names, where people are called by a
// stem.
func roleOf(column, stem []string) int {
	name := column
	if w := lastWord(name); w == "id" || w == "uuid" || w == "ref" {
		name = name[:len(name)-1]
	}
	switch {
	case equal(name, stem):
		return roleSelf
	case said(name, otherWords...):
		return roleOther
	case said(name, creatorWords...):
		return roleCreator
	case said(name, ownerWords...), len(name) == 0:
		return roleOwner
	default:
		return roleOther
	}
}

// namesPerson reports whether a column's name says that it refers to a person, whose
// table it doesn't name: author_id, post_author, created_by.
func namesPerson(column []string) bool {
	name, id := column, false
	if w := lastWord(name); w == "id" || w == "uuid" {
		name, id = name[:len(name)-1], true
	}
	switch last := lastWord(name); {
	case last == "by":
		return len(name) > 1
	case slices.Contains([]string{"author", "creator", "owner", "sender", "recipient", "assignee", "uploader", "reviewer", "approver", "moderator", "requester"}, last):
		return true
	default:
		return id && slices.Contains([]string{"user", "customer", "member", "agent", "follower"}, last)
	}
}

// category returns the category of personal data that a table's name speaks of.
func category(stem []string) string {
	switch {
	case said(stem, "order", "invoice", "payment", "cart", "purchase", "subscription", "coupon", "refund", "bill", "billing", "charge", "credit", "transaction", "wishlist", "wish", "price", "lookup", "balance", "shipment", "checkout"):
		return "commercial information"
	case said(stem, "gps", "gpx", "location", "position", "geolocation", "checkin", "tracepoint", "place"):
		return "geolocation"
	case said(stem, "photo", "image", "avatar", "media", "video", "audio", "recording", "picture", "upload", "attachment"):
		return "audio, electronic, visual"
	case said(stem, "session", "login", "signin", "visit", "click", "event", "log", "device", "token", "request", "pageview", "view", "access", "history", "audit", "activity", "notification", "activation", "hit", "timeline"):
		return "internet or network activity"
	case said(stem, "employee", "salary", "payroll", "employment", "position", "resume"):
		return "professional or employment"
	default:
		return "identifiers"
	}
}

// origin returns where a table's content comes from, by its name.
func origin(stem []string) string {
	switch {
	case said(stem, "score", "segment", "prediction", "recommendation", "lookup", "stat", "statistic", "counter"):
		return "derived"
	case category(stem) == "internet or network activity" && !said(stem, "token"):
		return "observed"
	default:
		return "provided"
	}
}

// ofTools are tables that frameworks keep for themselves.
var ofTools = []string{"schema_migrations", "ar_internal_metadata", "flyway_schema_history", "goose_db_version", "django_migrations", "django_content_type", "databasechangelog", "databasechangeloglock", "spatial_ref_sys", "alembic_version", "migrations", "knex_migrations", "knex_migrations_lock", "doctrine_migration_versions", "__efmigrationshistory", "sqlite_sequence", "schema_version"}
