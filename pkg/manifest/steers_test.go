package manifest

import (
	"strings"
	"testing"
)

// TestNobodyCorrectsWhatSteers: a column that retention, files or others go by isn't corrected,
// whichever dataset of the table it is that says so; any other is.
func TestNobodyCorrectsWhatSteers(t *testing.T) {
	t.Parallel()
	const text = `
system: shop
title: {en: Shop}
abilities: [gather, erase, rectify]
needs: [account_id]
sql: {}
defaults: {category: commercial information, origin: provided, purpose: {en: P}, legal_basis: contract, storage: {en: Ten years}}
datasets:
- name: notes
  title: {en: Notes}
  columns: [id, kind, author, {made: date}, path, body]
  others: [{columns: [body], when: {kind: mail}, unless: {account_id: author}}]
  retention: [{ground: tax, source: a law, title: {en: Tax}, column: made, period: P10Y}]
  sql: {where: {kind: note}, table: notes, key: [id], subject: {account_id: owner}, erase: delete}
- name: texts
  title: {en: Texts}
  columns: [id, a, b, {made: date}, path, body, content]
  file: {content: content, name: path}
  sql: {where: {kind: {not: note}}, table: notes, key: [id], subject: {account_id: owner}, erase: delete, columns: {a: kind, b: author}, files: {in: media, path: "{path}"}, rectify: [COLUMN]}
`
	for column, word := range map[string]string{"made": "must stay", "path": "which files", "a": "shown to whom", "b": "shown to whom", "body": ""} {
		_, err := Parse("shop.yaml", []byte(strings.Replace(text, "COLUMN", column, 1)))
		if got := err != nil && strings.Contains(err.Error(), "whoever has it corrected"); got != (word != "") || got && !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v", column, err)
		}
	}
}
