package salesforce

// cascade is an object whose records are deleted with those of another.
type cascade struct{ parent, child, field string }

// cascades returns what is deleted with what (Object Reference).
func cascades() []cascade {
	return []cascade{
		{"Account", "Contact", "AccountId"}, // of a person account
		{"Case", "CaseComment", "ParentId"},
		{"Case", "EmailMessage", "ParentId"},
		{"Contact", "CampaignMember", "ContactId"},
		{"Contact", "OpportunityContactRole", "ContactId"},
		{"Lead", "CampaignMember", "LeadId"},
		{"EmailMessage", "EmailMessageRelation", "EmailMessageId"},
		{"Individual", "ContactPointEmail", "ParentId"},
		{"ContentDocument", "ContentVersion", "ContentDocumentId"},
		{"ContentDocument", "ContentDocumentLink", "ContentDocumentId"},
		{"Contact", "Attachment", "ParentId"}, {"Lead", "Attachment", "ParentId"}, {"Case", "Attachment", "ParentId"}, {"EmailMessage", "Attachment", "ParentId"},
		{"Contact", "ContentDocumentLink", "LinkedEntityId"}, {"Lead", "ContentDocumentLink", "LinkedEntityId"},
		{"Case", "ContentDocumentLink", "LinkedEntityId"}, {"EmailMessage", "ContentDocumentLink", "LinkedEntityId"},
		{"Account", "ContentDocumentLink", "LinkedEntityId"}, {"Account", "ContactPointEmail", "ParentId"},
	}
}

// below returns the records that are deleted with one.
func (s *Server) below(r *row) []*row {
	var out []*row
	for _, c := range cascades() {
		if o := s.store.object(c.child); c.parent == r.object.name && o != nil {
			out = append(out, o.lookup(c.field, r.id[:15])...)
		}
	}
	return out
}

// is reports whether a boolean field is set.
func (r *row) is(name string) bool {
	n, ok := r.object.field(name)
	return ok && r.values[n].yes
}
