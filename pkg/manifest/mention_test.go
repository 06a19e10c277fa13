package manifest

import (
	"strings"
	"testing"
)

// TestMentionsAreLookedAt: what mentions somebody isn't disclosed unseen.
func TestMentionsAreLookedAt(t *testing.T) {
	t.Parallel()
	text := longShop[:strings.Index(longShop, "    sql:\n      table: letters")] + "    sql: {table: letters, key: [number], subject: {user_id: user_id}, erase: delete, mentions: {user_id: [body]}}\n"
	if _, err := Parse("shop.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), "would be disclosed to them unseen; add others:") {
		t.Errorf("got %v", err)
	}
	text += "    others: [{columns: [id], then: person}]\n"
	if _, err := Parse("shop.yaml", []byte(text)); err != nil {
		t.Error(err)
	}
	if refuses(t, schema(t), text) {
		t.Error("the schema refuses it")
	}
}
