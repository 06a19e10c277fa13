package salesforce

// fieldType decides how a field is compared and what it can be compared with.
type fieldType uint8

const (
	textType   fieldType = iota
	idType               // this record's id, or another's
	longType             // long text: can't be in WHERE
	boolType             //
	numberType           //
	dateType             //
	timeType             //
	blobType             // a file's bytes: answered as the address of a call that gives them
)

// field is one field of an object.
type field struct {
	name string
	typ  fieldType
	// relation is the name by which a path follows the reference, to target.
	// A reference to more than one object (Who) has no target here: a path over
	// it isn't understood.
	relation, target string
	indexed          bool
}

// definition is one object as the stand-in knows it.
type definition struct {
	name, dataset, prefix string
	fields                []field
}

func text(names ...string) []field    { return typed(textType, names) }
func long(names ...string) []field    { return typed(longType, names) }
func boolean(names ...string) []field { return typed(boolType, names) }
func instant(names ...string) []field { return typed(timeType, names) }
func day(names ...string) []field     { return typed(dateType, names) }
func number(names ...string) []field  { return typed(numberType, names) }
func blob(names ...string) []field    { return typed(blobType, names) }

func typed(t fieldType, names []string) []field {
	fs := make([]field, len(names))
	for i, n := range names {
		fs[i] = field{name: n, typ: t}
	}
	return fs
}

func indexed(names ...string) []field {
	fs := text(names...)
	for i := range fs {
		fs[i].indexed = true
	}
	return fs
}

func reference(name, relation, target string) []field {
	return []field{{name: name, typ: idType, relation: relation, target: target, indexed: true}}
}

// definitions lists the objects, with the standard fields that the population
// fills or that clients commonly ask for (Salesforce's Object Reference).
// Every object also has Id, IsDeleted and SystemModstamp.
func definitions() []definition {
	join := func(groups ...[]field) []field {
		fs := []field{{name: "Id", typ: idType}, {name: "IsDeleted", typ: boolType}, {name: "SystemModstamp", typ: timeType}, {name: "CreatedDate", typ: timeType}}
		for _, g := range groups {
			fs = append(fs, g...)
		}
		return fs
	}
	attached := func(name string) []field { return reference(name, "", "") } // to one of several objects
	return []definition{
		{"Contact", "contacts", "003", join(indexed("Email", "Phone", "MobilePhone"), text("FirstName", "LastName", "Name", "HomePhone", "OtherPhone", "Title",
			"Department", "MailingStreet", "MailingCity", "MailingState", "MailingPostalCode", "MailingCountry", "LeadSource"),
			boolean("HasOptedOutOfEmail", "HasOptedOutOfFax", "DoNotCall", "IsPersonAccount"), long("Description"), day("Birthdate"),
			reference("IndividualId", "Individual", "Individual"), reference("AccountId", "Account", "Account"), instant("LastModifiedDate"))},
		{"Lead", "leads", "00Q", join(indexed("Email", "Phone", "MobilePhone"), text("FirstName", "LastName", "Name", "Company", "Title", "Street", "City",
			"State", "PostalCode", "Country", "Status", "LeadSource", "Rating", "Website"),
			boolean("IsConverted", "HasOptedOutOfEmail", "HasOptedOutOfFax", "DoNotCall"), long("Description"),
			reference("ConvertedContactId", "ConvertedContact", "Contact"), reference("IndividualId", "Individual", "Individual"), instant("LastModifiedDate"))},
		{"Case", "cases", "500", join(reference("ContactId", "Contact", "Contact"), indexed("SuppliedEmail", "SuppliedPhone"), text("CaseNumber", "SuppliedName",
			"Subject", "Status", "Origin", "Priority", "Type", "Reason"), long("Description"), boolean("IsClosed"), instant("ClosedDate", "LastModifiedDate"))},
		{"CaseComment", "case_comments", "00a", join(reference("ParentId", "Parent", "Case"), text("CommentBody"), boolean("IsPublished"), instant("LastModifiedDate"))},
		{"Task", "tasks", "00T", join(reference("WhoId", "", ""), text("Subject", "Status", "Priority", "Type"), long("Description"), day("ActivityDate"), boolean("IsClosed", "IsArchived"), instant("LastModifiedDate"))},
		{"Event", "events", "00U", join(reference("WhoId", "", ""), text("Subject", "Location", "Type"), long("Description"), instant("StartDateTime", "EndDateTime", "LastModifiedDate"), boolean("IsAllDayEvent", "IsArchived"))},
		{"CampaignMember", "campaign_members", "00v", join(reference("ContactId", "Contact", "Contact"), reference("LeadId", "Lead", "Lead"), reference("CampaignId", "", ""), text("Status"), boolean("HasResponded"), day("FirstRespondedDate"), instant("LastModifiedDate"))},
		{"Account", "person_accounts", "001", join(indexed("PersonEmail", "Phone", "PersonMobilePhone"), text("Name", "FirstName", "LastName", "PersonMailingStreet", "PersonMailingCity",
			"PersonMailingPostalCode", "PersonMailingCountry", "Industry", "Type", "Website"), boolean("IsPersonAccount", "PersonHasOptedOutOfEmail", "PersonDoNotCall"), long("Description"),
			reference("PersonContactId", "PersonContact", "Contact"), reference("PersonIndividualId", "PersonIndividual", "Individual"), instant("LastModifiedDate"))},
		{"OpportunityContactRole", "opportunity_roles", "00K", join(reference("ContactId", "Contact", "Contact"), reference("OpportunityId", "", ""), text("Role"), boolean("IsPrimary"), instant("LastModifiedDate"))},
		{"Individual", "individuals", "0PK", join(text("FirstName", "LastName", "Name"), boolean("HasOptedOutProcessing", "HasOptedOutProfiling", "HasOptedOutSolicit", "HasOptedOutTracking",
			"HasOptedOutGeoTracking", "ShouldForget", "SendIndividualData", "CanStorePiiElsewhere"), instant("LastModifiedDate"))},
		{"ContactPointEmail", "contact_points", "9Vl", join(attached("ParentId"), indexed("EmailAddress"), boolean("IsPrimary"), instant("LastModifiedDate"))},
		{"EmailMessage", "email_messages", "02s", join(reference("ParentId", "Parent", "Case"), indexed("FromAddress"), text("Subject", "ToAddress", "FromName"), long("TextBody", "HtmlBody"), boolean("Incoming"), instant("MessageDate", "LastModifiedDate"))},
		{"EmailMessageRelation", "email_relations", "0CZ", join(reference("EmailMessageId", "EmailMessage", "EmailMessage"), attached("RelationId"), indexed("RelationAddress"), text("RelationType"), instant("LastModifiedDate"))},
		{"ContentDocument", "", "069", join(text("Title"), instant("LastModifiedDate"))},
		{"ContentDocumentLink", "file_links", "06A", join(reference("ContentDocumentId", "ContentDocument", "ContentDocument"), attached("LinkedEntityId"), text("ShareType"))},
		{"ContentVersion", "files", "068", join(reference("ContentDocumentId", "ContentDocument", "ContentDocument"), text("Title", "PathOnClient", "FileType"), number("ContentSize"), blob("VersionData"), instant("LastModifiedDate"))},
		{"Attachment", "attachments", "00P", join(attached("ParentId"), text("Name", "ContentType"), number("BodyLength"), blob("Body"), instant("LastModifiedDate"))},
		// An object of the org's own: empty where the population has none.
		{"Registration__c", "registrations", "a0R", join(reference("Contact__c", "Contact__r", "Contact"), text("Name", "Product__c"), indexed("SerialNumber__c"), long("Note__c"), instant("LastModifiedDate"))},
	}
}
