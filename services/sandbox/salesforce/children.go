package salesforce

import (
	"slices"
	"strings"

	"habeas.dev/services/sandbox/soql"
)

// children are the records that refer to one, for a sub-select in a list of
// fields.
type children struct {
	planner *planner
	plan    *plan
	field   string // of the child, which refers to the parent
}

// childRelation is the name by which a parent knows the records that refer to it.
type childRelation struct{ parent, name, child, field string }

func childRelations() []childRelation {
	return []childRelation{
		{"Account", "Contacts", "Contact", "AccountId"},
		{"Case", "CaseComments", "CaseComment", "ParentId"},
		{"Case", "EmailMessages", "EmailMessage", "ParentId"},
		{"Case", "Attachments", "Attachment", "ParentId"},
		{"Case", "ContentDocumentLinks", "ContentDocumentLink", "LinkedEntityId"},
		{"Contact", "Cases", "Case", "ContactId"},
		{"Contact", "Tasks", "Task", "WhoId"},
		{"Contact", "Events", "Event", "WhoId"},
		{"Contact", "CampaignMembers", "CampaignMember", "ContactId"},
		{"Contact", "OpportunityContactRoles", "OpportunityContactRole", "ContactId"},
		{"Contact", "Attachments", "Attachment", "ParentId"},
		{"Contact", "ContentDocumentLinks", "ContentDocumentLink", "LinkedEntityId"},
		{"Lead", "Tasks", "Task", "WhoId"},
		{"Lead", "Events", "Event", "WhoId"},
		{"Lead", "CampaignMembers", "CampaignMember", "LeadId"},
		{"EmailMessage", "EmailMessageRelations", "EmailMessageRelation", "EmailMessageId"},
		{"ContentDocument", "ContentVersions", "ContentVersion", "ContentDocumentId"},
		{"ContentDocument", "ContentDocumentLinks", "ContentDocumentLink", "ContentDocumentId"},
	}
}

// child plans a sub-select in the list of fields.
func (p *planner) child(out *plan, o *object, q *soql.Query) *apiError {
	relations := childRelations()
	i := slices.IndexFunc(relations, func(r childRelation) bool { return r.parent == o.name && strings.EqualFold(r.name, q.From) })
	if i < 0 || p.store.object(relations[i].child) == nil {
		return &apiError{status: 400, code: "INVALID_TYPE", message: p.excerpt(strings.Index(p.src, q.From)) + "Didn't understand relationship '" + q.From + "' in FROM part of query call. If you are attempting to use a custom relationship, be sure to append the '__r' after the custom relationship name. Please reference your WSDL or the describe call for the appropriate names."}
	}
	below := *q
	below.From = relations[i].child
	pl, err := p.plan(&below)
	if err != nil {
		return err
	}
	out.columns = append(out.columns, &column{key: []byte(`"` + relations[i].name + `":`), child: &children{p, pl, relations[i].field}})
	return nil
}

// append writes the children of a record; null where there are none.
func (c *children) append(b []byte, s *store, version string, parent *row) []byte {
	var rows []*row
	for _, r := range c.plan.object.lookup(c.field, parent.id[:15]) {
		if c.planner.visible(r) && (c.plan.where == nil || c.plan.where(r)) {
			rows = append(rows, r)
		}
	}
	slices.SortStableFunc(rows, c.plan.less)
	rows = rows[min(max(c.plan.offset, 0), len(rows)):]
	if c.plan.limit >= 0 {
		rows = rows[:min(c.plan.limit, len(rows))]
	}
	if len(rows) == 0 {
		return append(b, "null"...)
	}
	b = append(b, `{"totalSize":`+itoa(len(rows))+`,"done":true,"records":[`...)
	for i, r := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = s.appendRow(b, version, c.plan.object, c.plan.columns, r)
	}
	return append(b, "]}"...)
}
