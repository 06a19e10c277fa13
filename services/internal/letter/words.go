package letter

import (
	"fmt"
	"time"

	"habeas.dev/pkg/dsar"
)

// vocabulary holds the words of a language that templates can't spell out: names of
// rights, things to prove, dates.
type vocabulary struct {
	rights    map[dsar.Right]string
	checks    map[dsar.Check]string
	notProven string
	day       func(time.Time) string
}

var words = map[string]vocabulary{
	"en": {
		rights: map[dsar.Right]string{
			dsar.Access:            "a copy of the data that we hold about you",
			dsar.Portability:       "your data in a form that you can take elsewhere",
			dsar.KnowCategories:    "the categories of data that we hold about you",
			dsar.Erasure:           "the erasure of the data that we hold about you",
			dsar.Rectification:     "the correction of the data that we hold about you",
			dsar.Restriction:       "the restriction of the use of your data",
			dsar.Objection:         "an end to the use of your data, to which you object",
			dsar.ConsentWithdrawal: "an end to what you had consented to",
			dsar.OptOut:            "that your data be neither sold nor shared",
		},
		checks: map[dsar.Check]string{
			dsar.CheckIdentity:     "proof of who you are",
			dsar.CheckAgent:        "the person’s written permission to ask on their behalf",
			dsar.CheckOrganisation: "the agreement of the organisation whose account it is",
			dsar.CheckGuardian:     "proof that you are the child’s parent or guardian",
		},
		notProven: "we could not make sure who asks",
		day:       func(t time.Time) string { return t.Format("2 January 2006") },
	},
	"fr": {
		rights: map[dsar.Right]string{
			dsar.Access:            "une copie des données que nous détenons sur vous",
			dsar.Portability:       "vos données sous une forme que vous pouvez emporter ailleurs",
			dsar.KnowCategories:    "les catégories de données que nous détenons sur vous",
			dsar.Erasure:           "l’effacement des données que nous détenons sur vous",
			dsar.Rectification:     "la rectification des données que nous détenons sur vous",
			dsar.Restriction:       "la limitation de l’utilisation de vos données",
			dsar.Objection:         "la fin de l’utilisation de vos données, à laquelle vous vous opposez",
			dsar.ConsentWithdrawal: "la fin de ce à quoi vous aviez consenti",
			dsar.OptOut:            "que vos données ne soient ni vendues ni partagées",
		},
		checks: map[dsar.Check]string{
			dsar.CheckIdentity:     "un justificatif de votre identité",
			dsar.CheckAgent:        "l’autorisation écrite de la personne pour laquelle vous agissez",
			dsar.CheckOrganisation: "l’accord de l’organisation titulaire du compte",
			dsar.CheckGuardian:     "la preuve que vous êtes le parent ou le tuteur de l’enfant",
		},
		notProven: "nous n’avons pas pu nous assurer de l’identité de la personne qui la présente",
		day: func(t time.Time) string {
			month := [...]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"}[t.Month()-1]
			if t.Day() == 1 {
				return fmt.Sprintf("1er %s %d", month, t.Year())
			}
			return fmt.Sprintf("%d %s %d", t.Day(), month, t.Year())
		},
	},
}
