package sqlsystem

import (
	"strings"
	"testing"
)

// TestJoint: a row that may be several people's is told of where it is erased with the first of
// them, and not where the manifest says what becomes of it, or where it is one person's.
func TestJoint(t *testing.T) {
	t.Parallel()
	const schema = `CREATE TABLE users (id INTEGER PRIMARY KEY, email VARCHAR(100)); CREATE TABLE rooms (id INTEGER PRIMARY KEY, title VARCHAR(100), members VARCHAR(100));
		CREATE TABLE members (room_id INTEGER, user_id INTEGER, email VARCHAR(100), alias VARCHAR(100), PRIMARY KEY (room_id, user_id), UNIQUE (alias));
		CREATE TABLE messages (id INTEGER PRIMARY KEY, sender INTEGER, recipient INTEGER, body VARCHAR(100)); CREATE TABLE tags (id INTEGER PRIMARY KEY, room_id INTEGER, what VARCHAR(10), value VARCHAR(100))`
	const (
		over   = "via: [{table: members, on: {id: room_id}}], subject: "
		joint  = "a row may be several people's"
		second = "one of whom the column recipient names"
	)
	everyDatabase(t, schema, func(t *testing.T, d database) {
		for _, c := range []struct{ name, sql, want string }{
			{"members", "table: rooms, " + over + "{user: members.user_id}, erase: delete", joint},
			{"a list, overwritten", "table: rooms, subject: {user: \"members[]\"}, erase: anonymise, anonymise: {members: null}", joint},
			{"members and on to users", "table: rooms, via: [{table: members, on: {id: room_id}}, {table: users, on: {user_id: id}}], subject: {email: users.email}, erase: delete", joint},
			{"one address is one person's", "table: rooms, " + over + "{email: members.alias}, erase: delete", ""},
			{"while others refer to it", "table: rooms, " + over + "{user: members.user_id}, erase: delete, unless_shared: [{table: members, on: {room_id: id}}]", ""},
			{"said in a way of its own", "table: rooms, ways: [{via: [{table: members, on: {id: room_id}}], subject: {user: members.user_id}, erase: delete}]", ""},
			{"one person's row each", "table: members, via: [{table: users, on: {user_id: id}}], subject: {email: users.email}, erase: delete", ""},
			{"a list", "table: rooms, subject: {user: \"members[]\"}, erase: delete", joint},
			{"out of a list", "table: rooms, subject: {user: \"members[]\"}, erase: anonymise, anonymise: {\"members[]\": \"{remove}\"}", ""},
			{"two people", "table: messages, subject: {user: sender}, ways: [{subject: {user: recipient}}], erase: delete", second},
			{"two people, said", "table: messages, subject: {user: sender}, ways: [{subject: {user: recipient}, set: {recipient: null}}], erase: delete", ""},
			{"two who know each other", "table: members, subject: {user: user_id}, ways: [{subject: {user: room_id}}], erase: delete", ""},
			{"the value of one key", "table: rooms, via: [{table: tags, on: {id: room_id}, where: {what: mail}}], subject: {email: tags.value}, erase: delete", ""},
			{"one person's two numbers", "table: messages, subject: {user: sender, email: body}, erase: delete", ""},
		} {
			key := "id"
			if strings.HasPrefix(c.sql, "table: members") {
				key = "room_id, user_id"
			}
			m := small(t, "abilities: [gather, erase]\nneeds: [user, email]\nsql: {}", "rows | key: ["+key+"], "+c.sql+" | "+strings.ReplaceAll(key, ",", ""))
			advice, err := open(t, d, m).Joint(t.Context())
			if err != nil || len(advice) != min(1, len(c.want)) || c.want != "" && !strings.Contains(advice[0].What, c.want) {
				t.Errorf("%s: %v, %v", c.name, advice, err)
			}
		}
	})
}
