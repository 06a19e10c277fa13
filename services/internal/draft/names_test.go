package draft

import (
	"strings"
	"testing"

	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/sqlsystem"
)

// TestNames: names come apart into words, and tables into what one row of them is called.
func TestNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"shippingAddressID": "shipping address id", "wp_usermeta": "wp usermeta", "comment_post_ID": "comment post id", "HTMLBody": "html body", "ip2": "ip2"} {
		if got := strings.Join(manifest.NameWords(name), " "); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	for table, want := range map[string]string{"users": "user", "order_lines": "order line", "statuses": "status", "addresses": "address", "categories": "category", "people": "person", "public.boxes": "box", "news": "news", "gps_points": "gps point", "sms": "sms"} {
		if got := strings.Join(stem(table), " "); got != want {
			t.Errorf("%s: %s", table, got)
		}
	}
}

// TestRoles: of several columns that name people, one is the row's own.
func TestRoles(t *testing.T) {
	t.Parallel()
	user := []string{"user"}
	for column, want := range map[string]int{"user_id": roleSelf, "author_id": roleOwner, "sender_id": roleOwner, "created_by": roleCreator, "created_by_id": roleCreator, "recipient_id": roleOther, "assigned_to_id": roleOther, "updated_by_id": roleOther, "target_user_id": roleOther, "to_user_id": roleOther, "from_user_id": roleOwner} {
		if got := roleOf(manifest.NameWords(column), user); got != want {
			t.Errorf("%s: %d, want %d", column, got, want)
		}
	}
	for column, want := range map[string]bool{"post_author": true, "created_by": true, "approved_by_id": true, "user_id": true, "order_id": false, "by": false, "user_name": false} {
		if namesPerson(manifest.NameWords(column)) != want {
			t.Errorf("%s: %v", column, !want)
		}
	}
}

// TestShapeOf: what values look like is told by their form and their check digits.
func TestShapeOf(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]shape{
		"ann@example.com": shapeEmail, "192.0.2.1": shapeIP, "2001:db8::1": shapeIP, "192.0.2.0/24": shapeIP, "$2a$10$abcdefghijklmnopqrstuv": shapeHash,
		"GB82 WEST 1234 5698 7654 32": shapeIBAN, "GB83 WEST 1234 5698 7654 32": shapeOther, "4111 1111 1111 1111": shapeCard, "4111111111111112": shapeOther,
		`{"a":1}`: shapeJSON, "1706659200": shapeSeconds, "1706659200000": shapeMilliseconds, "12": shapeOther, "it was a dark and stormy night in town": shapeProse, "hello": shapeOther,
	} {
		if got := shapeOf(value); got != want {
			t.Errorf("%s: %d, want %d", value, got, want)
		}
	}
}

// TestSecretOf: a column is a secret by its name or by what it holds, and none where it says
// when a secret was changed.
func TestSecretOf(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"password_digest": "password", "pass_crypt": "password", "reset_token": "true", "iban": "financial-account", "card_number": "payment-card", "passport_number": "government-id", "title": "", "token_type": ""} {
		c := &column{words: manifest.NameWords(name)}
		c.Name, c.Type = name, "text"
		if got := secretOf(c); string(got) != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	c := &column{words: manifest.NameWords("password_changed_at"), SurveyedColumn: sqlsystem.SurveyedColumn{Name: "password_changed_at", Type: "timestamp without time zone"}}
	if got := secretOf(c); got != "" {
		t.Errorf("got %q", got)
	}
	c = &column{words: manifest.NameWords("remark"), shape: shapeHash, SurveyedColumn: sqlsystem.SurveyedColumn{Name: "remark", Type: "text"}}
	if got := secretOf(c); got != "password" {
		t.Errorf("got %q", got)
	}
}
