// Package correspondence states what a letter to a person may say, of the facts of the request.
// Who renders letters (services/internal/letter) sees the statements alone.
package correspondence

import (
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/letter"
	"habeas.dev/services/internal/statement"
)

// Document states what a request's facts allow to be said when a letter is due, up to and
// with the fact that it is written about: it reads the same whenever it is written.
func Document(w *letter.Writer, s core.State, told *core.Answer, o core.Occasion) statement.Document {
	a := s.Accepted
	request := statement.Request{ID: a.RequestID, Right: o.Right, Jurisdiction: a.Jurisdiction, ReceivedAt: a.ReceivedAt, About: a.About}
	if o.Right != a.Right {
		request.Asked = a.Right
	}
	e := statement.Evidence{Request: request, Told: *told, Occasion: &o, Systems: statement.Undescribed(a.Systems, told)}
	lang := w.Language(a.Jurisdiction, a.Locale)
	var controller statement.Controller
	if j, ok := w.Book().Jurisdiction(a.Jurisdiction); ok {
		controller.Zone = j.Zone()
		e.MayExtend = o.Extensions < j.Periods(a.Right).Extensions()
		e.StartsWithProof = a.Terms.StartsWithProof
		e.Refusal = func(ground string) (title, source string) {
			if r, ok := j.Refusal(ground); ok {
				return lang.Text(r.Title), r.Cited(lang.Text)
			}
			for check, text := range lang.Letters.NotProven {
				if ground == core.GroundNotProven(check) {
					return text, ""
				}
			}
			return "", ""
		}
	}
	d := statement.Document{Format: statement.Format, Request: request, Controller: controller, Language: lang.Tag, Systems: e.Systems}
	d.Statements = statement.Worded(statement.Make(e), func(said statement.Said) string { return lang.Answer.Say(&d, said) })
	return d
}
