package people

import (
	"encoding/base64"
	"strings"
)

// salesforceMore makes what hangs on a person's first contact and first case:
// roles, privacy settings, e-mail and files.
func (g *generator) salesforceMore(contact, case1 string, individual any) {
	fixed := g.who.Number < firstRandom
	if g.who.Number == 11 || !fixed && g.who.Number%15 == 4 {
		g.personAccount(contact, individual)
	}
	for range g.some(1) {
		id := sfID("00K", g.number())
		g.add("opportunity_roles", id, map[string]any{
			"Id": id, "OpportunityId": sfID("006", int64(1+g.IntN(40))), "ContactId": contact,
			"Role": pick(g, []string{"Decision Maker", "Business User"}), "IsPrimary": g.IntN(2) == 0, "CreatedDate": sfTime(g.recent()),
		})
	}
	if id, ok := individual.(string); ok {
		g.add("individuals", id, map[string]any{
			"Id": id, "FirstName": personal(g.who.GivenName), "LastName": personal(g.who.FamilyName),
			"HasOptedOutProcessing": false, "HasOptedOutProfiling": g.IntN(4) == 0, "HasOptedOutSolicit": false, "HasOptedOutTracking": false,
			"HasOptedOutGeoTracking": false, "ShouldForget": false, "SendIndividualData": false, "CanStorePiiElsewhere": false, "CreatedDate": sfTime(g.recent()),
		})
		point := sfID("9Vl", g.number())
		g.add("contact_points", point, map[string]any{
			"Id": point, "ParentId": id, "EmailAddress": g.typed(), "IsPrimary": true, "CreatedDate": sfTime(g.recent()),
		})
	}
	if case1 != "" && (fixed || g.IntN(3) == 0) {
		g.email(contact, case1)
	}
	if fixed || g.IntN(20) == 0 {
		g.files(contact)
	}
}

// personAccount makes the account whose contact a person is.
func (g *generator) personAccount(contact string, individual any) {
	id := sfID("001", g.number())
	g.add("person_accounts", id, map[string]any{
		"Id": id, "FirstName": personal(g.who.GivenName), "LastName": personal(g.who.FamilyName), "PersonEmail": g.typed(),
		"Phone": g.nullable(g.who.Phone), "PersonMobilePhone": nil, "PersonContactId": contact, "PersonIndividualId": individual,
		"PersonMailingStreet": g.address(), "PersonMailingCity": g.city(), "PersonMailingPostalCode": g.digits(5), "PersonMailingCountry": g.country(),
		"PersonHasOptedOutOfEmail": false, "PersonDoNotCall": false, "Description": g.nullable(g.note()), "CreatedDate": sfTime(g.recent()),
	})
}

// email makes a message of the person's to a case.
func (g *generator) email(contact, case1 string) {
	id, relation := sfID("02s", g.number()), sfID("0CZ", g.number())
	sent := g.recent()
	g.add("email_messages", id, map[string]any{
		"Id": id, "ParentId": case1, "Subject": g.note(), "TextBody": g.note(), "FromAddress": g.typed(), "ToAddress": "support@example.com",
		"Incoming": true, "MessageDate": sfTime(sent), "CreatedDate": sfTime(sent),
	})
	g.add("email_relations", relation, map[string]any{
		"Id": relation, "EmailMessageId": id, "RelationId": contact, "RelationType": "FromAddress", "RelationAddress": g.typed(), "CreatedDate": sfTime(sent),
	})
}

// files makes an attached file of either kind.
func (g *generator) files(contact string) {
	document, version, link, old := sfID("069", g.number()), sfID("068", g.number()), sfID("06A", g.number()), sfID("00P", g.number())
	content, size := g.file("files.VersionData-" + version)
	g.add("files", version, map[string]any{
		"Id": version, "ContentDocumentId": document, "Title": "contract", "PathOnClient": "contract.txt", "FileType": "TEXT",
		"ContentSize": size, "VersionData": content, "CreatedDate": sfTime(g.recent()),
	})
	g.add("file_links", link, map[string]any{"Id": link, "ContentDocumentId": document, "LinkedEntityId": contact, "ShareType": "V"})
	content, size = g.file("attachments.Body-" + old)
	g.add("attachments", old, map[string]any{
		"Id": old, "ParentId": contact, "Name": "letter.txt", "ContentType": "text/plain", "BodyLength": size, "Body": content, "CreatedDate": sfTime(g.recent()),
	})
}

// file makes a file's content, in base64 as a bundle has it.
func (g *generator) file(field string) (content string, size int64) {
	text, _ := g.plain(field, personal(strings.Repeat(string(g.fullName())+"\n", 3))).(string)
	return base64.StdEncoding.EncodeToString([]byte(text)), int64(len(text))
}
