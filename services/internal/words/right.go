package words

import (
	"maps"
	"strings"

	"habeas.dev/pkg/dsar"
)

// Right is what a right is called that laws' files add, by language: English always.
type Right struct {
	// Name is its name in lists: "review of a decision".
	Name map[string]string
	// Asks completes "your request for", and "you can ask us for".
	Asks map[string]string
	// Choice is what the portal offers: "Have a person look at a decision".
	Choice map[string]string
	// Says is what is then done, in a sentence or two, at the portal.
	Says map[string]string
}

// Naming returns the languages with the words of rights besides.
func (l *Languages) Naming(rights map[dsar.Right]Right) *Languages {
	all := &Languages{map[string]*Language{}}
	for tag, old := range l.tags() {
		with := *old
		with.Journal, with.Portal = maps.Clone(old.Journal), maps.Clone(old.Portal)
		with.Letters.Rights, with.Answer.RightMeans, with.Answer.RightNames = maps.Clone(old.Letters.Rights), maps.Clone(old.Answer.RightMeans), maps.Clone(old.Answer.RightNames)
		with.Answer.Language = &with
		for right, named := range rights {
			with.Letters.Rights[right], with.Answer.RightMeans[right], with.Answer.RightNames[right] = with.Text(named.Asks), with.Text(named.Asks), with.Text(named.Name)
			with.Journal[string(right)], with.Portal["right."+string(right)], with.Portal["says."+string(right)] = with.bound(with.Text(named.Name)), with.bound(with.Text(named.Choice)), with.bound(with.Text(named.Says))
		}
		all.byTag[tag] = &with
	}
	return all
}

// bound binds the marks that no line may begin with to the word before them.
func (l *Language) bound(text string) string {
	for _, mark := range l.format.Bound {
		text = strings.ReplaceAll(text, " "+mark, "\u00a0"+mark)
	}
	return text
}
