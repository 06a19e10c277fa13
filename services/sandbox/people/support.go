package people

// support makes tickets, the messages in them, and recorded calls. Some tickets
// are shared: a participant writes in them who is nobody of the population. No
// call is a conference, at which a person would have to look first.
func (g *generator) support() {
	for i := range max(1, g.some(4)) {
		ticket, opened := g.key("tic_"), g.recent()
		g.add("tickets", ticket, map[string]any{
			"ticket_id": ticket, "account_id": g.accountOrNone(), "email": g.typed(), "subject": g.note(),
			"channel": pick(g, []string{"mail", "chat", "form"}), "status": pick(g, []string{"open", "solved"}), "opened_at": at(opened),
		})
		message := func(by string, name, email, account, body any) {
			key := g.key("msg_")
			g.add("messages", key, map[string]any{
				"message_id": key, "ticket_id": ticket, "written_by": by, "author_name": name, "author_email": email, "author_account": account,
				"body": body, "sent_at": at(opened.AddDate(0, 0, g.IntN(9))),
			})
		}
		message("requester", g.fullName(), g.typed(), g.accountOrNone(), g.note())
		message("agent", "Lea, Support", "lea@support.example.com", nil, g.note())
		if i%2 == 0 {
			message(Participant, ParticipantName, ParticipantEmail, "acc_participant", ParticipantText)
		}
	}
	for range g.some(3) {
		key := g.key("cal_")
		g.add("calls", key, map[string]any{
			"call_id": key, "email": g.typed(), "called_at": at(g.recent()), "recording": g.fileName("calls/"+string(g.digits(6))+"-"+key, ".wav"),
			"transcript": g.nullable(g.note()), "conference": false, "voiceprint": g.nullable(personal(string(g.digits(24)))), "review": g.nullable(g.note()),
		})
	}
}

// What somebody else wrote in a shared ticket. The requester is answered with
// none of it.
const (
	Participant      = "participant"
	ParticipantName  = "Ottilie Fremd"
	ParticipantEmail = "ottilie.fremd@example.net"
	ParticipantText  = "I am on sick leave until Monday, please ask Ottilie's deputy."
)

func (g *generator) accountOrNone() any {
	if g.who.AccountID == "" {
		return nil
	}
	return g.who.AccountID
}
