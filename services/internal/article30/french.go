package article30

import "habeas.dev/pkg/manifest"

func french() words {
	return words{
		language: "fr", title: "Registre des activités de traitement", lead: "RGPD, art. 30(1). Établi à partir des manifestes des systèmes.",
		bases: map[string]string{
			"consent": "consentement, art. 6(1)(a)", "contract": "contrat, art. 6(1)(b)", "legal-obligation": "obligation légale, art. 6(1)(c)",
			"vital-interest": "intérêts vitaux, art. 6(1)(d)", "public-task": "mission d’intérêt public, art. 6(1)(e)", "legitimate-interest": "intérêt légitime, art. 6(1)(f)",
		},
		origins: map[manifest.Origin]string{manifest.Provided: "fournies par la personne", manifest.Observed: "observées", manifest.Received: "reçues de tiers", manifest.Derived: "déduites"},
		categories: map[string]string{
			"identifiers": "identifiants", "customer records": "dossiers clients", "protected characteristics": "caractéristiques protégées",
			"commercial information": "informations commerciales", "internet or network activity": "activité sur internet ou sur le réseau",
			"biometric": "données biométriques", "geolocation": "géolocalisation", "audio, electronic, visual": "données sonores, électroniques, visuelles",
			"professional or employment": "vie professionnelle", "inferences": "déductions", "education": "formation",
		},
		deleted: "supprimées", anonymised: "rendues anonymes", goesWith: "supprimées avec %", byHand: "à la main", none: "aucun",
		columns: []string{
			"Responsable du traitement", "Système", "Intitulé du système", "Jeu de données", "Traitement", "Finalité", "Base légale", "Personnes concernées", "Catégorie de données", "Champs", "Jamais montrés",
			"Origine", "Destinataires", "Transferts et garanties", "Durée de conservation", "Obligations de conservation", "Effacement", "Sécurité",
		},
	}
}
