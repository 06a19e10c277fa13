package words

import (
	"cmp"
	"maps"

	"habeas.dev/pkg/dsar"
)

// Law is what a law's file calls the place where it holds, and its rights, by language.
type Law struct {
	// Title is the place: "California".
	Title  map[string]string
	Rights map[dsar.Right]Right
}

// Right is what a law's file calls a right, by language, each text with its English: one that
// it adds, or one that is another thing there than elsewhere. A text that is missing is the
// language's own.
type Right struct {
	// Name is its name in lists: "review of a decision".
	Name map[string]string
	// Asks completes "your request for", and "you can ask us for".
	Asks map[string]string
	// Choice is what the portal offers: "Have a person look at a decision".
	Choice map[string]string
	// Says is what is then done, in a sentence or two, at the portal.
	Says map[string]string
	// Title and Lead begin the answer; a right that a person decides has none.
	Title, Lead map[string]string
}

// Naming returns the languages with the words of laws, by the laws' ids: a law's id is a word of
// the journal that people read as its title, the words of its rights stand under it
// ([Language.Under]), and those of a right that the language doesn't know everywhere.
func (l *Languages) Naming(laws map[string]Law) *Languages {
	all := &Languages{map[string]*Language{}}
	for tag, old := range l.tags() {
		with := old.copied()
		for id, law := range laws {
			if with.Journal[id] == "" {
				with.Journal[id] = with.Text(law.Title)
			}
			for right, named := range law.Rights {
				if with.Letters.Rights[right] == "" {
					with.name(right, named)
				}
			}
		}
		with.laws = map[string]*Language{}
		for id, law := range laws {
			under := with.copied()
			for right, named := range law.Rights {
				under.name(right, named)
			}
			with.laws[id] = under
		}
		all.byTag[tag] = with
	}
	return all
}

// Under returns the language with the words that a law has for its rights.
func (l *Language) Under(law string) *Language { return cmp.Or(l.laws[law], l) }

// copied returns a copy of which the words of rights can be changed.
func (l *Language) copied() *Language {
	c := *l
	c.Journal, c.Portal, c.Letters.Rights = maps.Clone(l.Journal), maps.Clone(l.Portal), maps.Clone(l.Letters.Rights)
	c.Answer.RightMeans, c.Answer.RightNames, c.Answer.Title, c.Answer.Lead = maps.Clone(l.Answer.RightMeans), maps.Clone(l.Answer.RightNames), maps.Clone(l.Answer.Title), maps.Clone(l.Answer.Lead)
	c.Answer.Language = &c
	return &c
}

// name sets the words of a right.
func (l *Language) name(right dsar.Right, named Right) {
	for _, one := range []struct {
		into map[dsar.Right]string
		text map[string]string
	}{{l.Letters.Rights, named.Asks}, {l.Answer.RightMeans, named.Asks}, {l.Answer.RightNames, named.Name}, {l.Answer.Title, named.Title}, {l.Answer.Lead, named.Lead}} {
		if text := l.Text(one.text); text != "" {
			one.into[right] = text
		}
	}
	for _, one := range []struct {
		into map[string]string
		key  string
		text map[string]string
	}{{l.Journal, string(right), named.Name}, {l.Portal, "right." + string(right), named.Choice}, {l.Portal, "says." + string(right), named.Says}} {
		if text := l.Text(one.text); text != "" {
			one.into[one.key] = text
		}
	}
}
