package sqlsystem

import (
	"slices"
	"strings"
	"testing"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// metaShop has the shape of a shop whose tables have no foreign key: what there is of an
// account or an order lies in rows of a name and a value, the texts in a collation that
// takes é for e, and dates that are none are zeros.
const metaShop = `
CREATE TABLE wp_users (ID BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, user_login VARCHAR(60) NOT NULL DEFAULT '', user_email VARCHAR(100) NOT NULL DEFAULT '', user_registered DATETIME NOT NULL DEFAULT '0000-00-00 00:00:00', KEY (user_login), KEY (user_email));
CREATE TABLE wp_usermeta (umeta_id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, user_id BIGINT UNSIGNED NOT NULL DEFAULT 0, meta_key VARCHAR(255), meta_value LONGTEXT, KEY (user_id), KEY (meta_key(191)));
CREATE TABLE wp_posts (ID BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, post_author BIGINT UNSIGNED NOT NULL DEFAULT 0, post_type VARCHAR(20) NOT NULL DEFAULT 'post', post_title TEXT NOT NULL, post_modified TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, KEY (post_author));
CREATE TABLE wp_postmeta (meta_id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, post_id BIGINT UNSIGNED NOT NULL DEFAULT 0, meta_key VARCHAR(255), meta_value LONGTEXT, KEY (post_id), KEY (meta_key(191)));
CREATE TABLE wp_comments (comment_ID BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, comment_post_ID BIGINT UNSIGNED NOT NULL DEFAULT 0, comment_author_email VARCHAR(100) NOT NULL DEFAULT '', comment_author_IP VARCHAR(100) NOT NULL DEFAULT '', comment_content TEXT NOT NULL, user_id BIGINT UNSIGNED NOT NULL DEFAULT 0, KEY (comment_author_email(10)), KEY (user_id));
CREATE TABLE wp_wc_orders (id BIGINT UNSIGNED PRIMARY KEY, customer_id BIGINT UNSIGNED, billing_email VARCHAR(320), total_amount DECIMAL(26, 8), date_created_gmt DATETIME, ip_address VARCHAR(100), KEY (customer_id), KEY (billing_email(191)));
CREATE TABLE wp_wc_order_addresses (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, order_id BIGINT UNSIGNED NOT NULL, address_type VARCHAR(20), email VARCHAR(320), city TEXT, KEY (email(191)), UNIQUE KEY (order_id, address_type))`

const metaShopManifest = `
system: shop
title: {en: Shop}
abilities: [resolve, gather, erase]
needs: [email, user_no]
finds: [user_no]
defaults: {category: identifiers, origin: provided, purpose: {en: To serve you}, legal_basis: contract, storage: {en: As long as the account}, sql: {erase: delete}}
sql:
  resolve: [{find: user_no, table: wp_users, column: ID, by: {email: user_email}, one: true}]
datasets:
  - {name: account, title: {en: Account}, columns: [ID, user_login, user_email, {name: user_registered, type: datetime}], sql: {table: wp_users, key: [ID], subject: {user_no: ID, email: user_email}}}
  - {name: details, title: {en: Details}, columns: [umeta_id, meta_key, meta_value], sql: {table: wp_usermeta, key: [umeta_id], subject: {user_no: user_id}}}
  - {name: articles, title: {en: Articles}, columns: [ID, post_title], sql: {table: wp_posts, key: [ID], where: {post_type: post}, subject: {user_no: post_author}, erase: anonymise, anonymise: {post_author: 0}}}
  - name: old_orders
    title: {en: Orders of before}
    columns: [ID, post_title]
    sql:
      table: wp_posts
      key: [ID]
      where: {post_type: shop_order}
      ways:
        - {via: [{table: wp_postmeta, as: mail, on: {ID: post_id}, where: {meta_key: _billing_email}}], subject: {email: mail.meta_value}}
        - {via: [{table: wp_postmeta, as: who, on: {ID: post_id}, where: {meta_key: _customer_user}}], subject: {user_no: who.meta_value}}
  - name: old_order_details
    title: {en: What is said of those orders}
    columns: [meta_id, meta_key, meta_value]
    sql:
      table: wp_postmeta
      key: [meta_id]
      ways:
        - {via: [{table: wp_postmeta, as: mail, on: {post_id: post_id}, where: {meta_key: _billing_email}}], subject: {email: mail.meta_value}}
        - {via: [{table: wp_postmeta, as: who, on: {post_id: post_id}, where: {meta_key: _customer_user}}], subject: {user_no: who.meta_value}}
  - name: comments
    title: {en: Comments}
    columns: [comment_ID, comment_content]
    sql:
      table: wp_comments
      key: [comment_ID]
      subject: {user_no: user_id, email: comment_author_email}
      erase: anonymise
      anonymise: {user_id: 0, comment_author_email: "", comment_author_IP: "", comment_content: "(removed)"}
  - name: orders
    title: {en: Orders}
    columns: [id, {name: total_amount, type: number}, {name: date_created_gmt, type: datetime}]
    retention: [{ground: tax, source: law, title: {en: Tax}, column: date_created_gmt, period: P10Y}]
    sql: {table: wp_wc_orders, key: [id], subject: {user_no: customer_id, email: billing_email}}
  - name: addresses
    title: {en: Addresses of orders}
    columns: [id, city]
    sql:
      table: wp_wc_order_addresses
      key: [id]
      ways:
        - {subject: {email: email}}
        - {via: [{table: wp_wc_orders, as: o, on: {order_id: id}}], subject: {user_no: o.customer_id}}
`

// TestMariaMetaShop: a person who commented on another's article, whose old order is known
// by an address alone, and who was sent something from another's order, is shown what is
// theirs, and erased without a row of the two others.
func TestMariaMetaShop(t *testing.T) {
	t.Parallel()
	d := mariaDB(t, metaShop)
	d.run(t,
		`INSERT INTO wp_users (ID, user_login, user_email, user_registered) VALUES (1, 'zoé', 'Zoé@example.com', '2020-01-31 10:00:00'), (2, 'zoe', 'zoe@example.com', '0000-00-00 00:00:00'), (11, 'sam', 'sam@example.com', '2021-01-31 10:00:00')`,
		`INSERT INTO wp_usermeta (umeta_id, user_id, meta_key, meta_value) VALUES (1, 1, 'billing_city', 'Nancy'), (2, 2, 'billing_city', 'Metz'), (3, 11, 'session_tokens', 'a:0:{}')`,
		`INSERT INTO wp_posts (ID, post_author, post_type, post_title, post_modified) VALUES (1, 1, 'post', 'mine', '2020-01-01'), (2, 11, 'post', 'of another', '2020-01-01'), (3, 1, 'shop_order', 'Order', '2020-01-01'), (4, 1, 'shop_order', 'Order', '2020-01-01'), (5, 1, 'shop_order', 'Order', '2020-01-01')`,
		`INSERT INTO wp_postmeta (meta_id, post_id, meta_key, meta_value) VALUES (1, 3, '_billing_email', 'zoé@example.com '), (2, 3, '_total', '5'), (3, 4, '_billing_email', 'zoe@example.com'), (4, 5, '_customer_user', '1'), (5, 5, '_total', '7'), (6, 2, '_total', '1'), (7, 4, '_customer_user', '11')`,
		`INSERT INTO wp_comments (comment_ID, comment_post_ID, comment_author_email, comment_author_IP, comment_content, user_id) VALUES (1, 2, 'ZOÉ@example.com', '192.0.2.1', 'hello', 0), (2, 2, '', '', 'again', 1), (3, 2, 'zoe@example.com', '192.0.2.2', 'me too', 2), (4, 1, 'sam@example.com', '', 'fine', 11)`,
		`INSERT INTO wp_wc_orders VALUES (1, 0, 'zoé@example.com', 5, '2010-01-31 00:00:00', ''), (2, 1, NULL, 7.50, '2025-01-31 00:00:00', ''), (3, 0, 'zoe@example.com', 1, '2010-01-31 00:00:00', ''), (4, 11, 'sam@example.com', 1, '2010-01-31 00:00:00', '')`,
		`INSERT INTO wp_wc_order_addresses VALUES (1, 1, 'billing', 'zoé@example.com', 'Nancy'), (2, 2, 'shipping', NULL, 'Nancy'), (3, 3, 'billing', 'zoe@example.com', 'Metz'), (4, 4, 'shipping', 'Zoé@example.com', 'Nancy'), (5, 4, 'billing', 'sam@example.com', 'Metz')`)
	m, err := manifest.Parse("shop.yaml", []byte(metaShopManifest))
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, d, m)
	jobs := resolveJobs(ids("email zoé@example.com"))
	if err := s.Resolve(t.Context(), jobs); err != nil || len(jobs[0].Found) != 1 || jobs[0].Found[0].Value != "1" {
		t.Fatal(err, jobs[0].Found)
	}
	zoé := ids("email zoé@example.com", string(jobs[0].Found[0].Type)+" 1")
	var got []string
	for _, line := range gatherAll(t, s, zoé)[0] {
		got = append(got, strings.Fields(line)[0])
	}
	if want := strings.Fields("account details articles old_orders old_orders old_order_details old_order_details old_order_details old_order_details comments comments orders orders addresses addresses addresses"); !slices.Equal(got, want) {
		t.Errorf("shown %v", got)
	}
	erasing := jobsOf(dsar.Erasure, zoé)
	if err := s.eraseAll(t.Context(), erasing); err != nil || erasing[0].Err != nil {
		t.Fatal(err, erasing[0].Err)
	}
	for query, want := range map[string]string{
		"SELECT ID FROM wp_users ORDER BY ID": "2 11", "SELECT umeta_id FROM wp_usermeta": "2 3", "SELECT ID FROM wp_posts ORDER BY ID": "1 2 4",
		"SELECT post_author FROM wp_posts ORDER BY ID": "0 11 1", "SELECT DISTINCT DATE(post_modified) FROM wp_posts": "2020-01-01",
		"SELECT meta_id FROM wp_postmeta ORDER BY 1": "3 6 7", "SELECT comment_ID FROM wp_comments WHERE comment_content = '(removed)' AND comment_author_IP = '' AND user_id = 0": "1 2",
		"SELECT id FROM wp_wc_orders ORDER BY 1": "2 3 4", "SELECT id FROM wp_wc_order_addresses ORDER BY 1": "3 5",
	} {
		if left := strings.Join(d.column(t, query), " "); left != want {
			t.Errorf("%s: %s, want %s", query, left, want)
		}
	}
	erasing[0].Counts = nil
	if err := s.countAll(t.Context(), erasing); err != nil {
		t.Fatal(err)
	}
	for _, c := range erasing[0].Counts {
		if c.Found != c.Kept() {
			t.Errorf("found after the erasure: %s", outcomes(erasing[0].Counts))
		}
	}
}
