package bundle

import (
	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
)

// french is the answer in French. Non-breaking spaces stand where French
// typography wants them.
var french = words{
	Lang: "fr",
	title: map[dsar.Right]string{
		dsar.Access:            "Les données que nous détenons sur vous",
		dsar.Portability:       "Vos données, à emporter",
		dsar.KnowCategories:    "Les catégories de données que nous détenons sur vous",
		dsar.Erasure:           "Certificat d’effacement",
		dsar.Rectification:     "Vos données, rectifiées",
		dsar.Restriction:       "Vos données, limitées",
		dsar.Objection:         "Votre opposition",
		dsar.ConsentWithdrawal: "Votre consentement, retiré",
		dsar.OptOut:            "Votre refus de la vente et du partage",
	},
	lead: map[dsar.Right]string{
		dsar.Access:            "Vous avez demandé une copie des données que nous détenons sur vous. La voici : ce que nous détenons, dans quel système, pour quoi faire et pour combien de temps.",
		dsar.Portability:       "Vous avez demandé vos données sous une forme que vous pouvez emporter ailleurs. Voici ce que vous nous avez fourni et ce qui a été enregistré lorsque vous utilisiez nos services, lorsque nous le traitons avec votre consentement ou en vertu d’un contrat avec vous.",
		dsar.KnowCategories:    "Vous avez demandé quelles catégories de données nous détenons sur vous. Les voici, avec leur origine, leur finalité et leurs destinataires.",
		dsar.Erasure:           "Vous nous avez demandé d’effacer les données que nous détenons sur vous. Ce certificat dit ce qui a été effacé, dans quel système, et comment nous l’avons vérifié. Lorsque la loi nous oblige à conserver quelque chose, il dit quoi, pourquoi et jusqu’à quand.",
		dsar.Rectification:     "Vous nous avez demandé de rectifier les données que nous détenons sur vous. Voici ce qui a été modifié, et dans quel système.",
		dsar.Restriction:       "Vous nous avez demandé de ne plus utiliser les données que nous détenons sur vous, tout en les conservant. Voici ce qui a été limité, et dans quel système.",
		dsar.Objection:         "Vous avez fait opposition à l’utilisation de vos données. Voici ce qui a cessé, et dans quel système.",
		dsar.ConsentWithdrawal: "Vous avez retiré votre consentement. Voici ce qui a cessé, et dans quel système.",
		dsar.OptOut:            "Vous avez refusé la vente et le partage de vos données. Voici ce qui a été modifié, et dans quel système.",
	},
	liftedTitle: "Vos données, de nouveau utilisées", liftedLead: "Vous nous avez demandé de reprendre l’utilisation des données que vous nous aviez demandé de ne plus utiliser. Voici ce qui reprend, et dans quel système.",
	lifted: "De nouveau utilisés", liftedOutcome: outcomeWords{"De nouveau utilisées", "Les données sont de nouveau utilisées comme auparavant."},
	fieldsChanged: " (modifié : %s)", leftUnchanged: "Il s’agit de ce qui a été enregistré à l’époque : cela reste en l’état. Votre rectification a été faite là où les données sont actuelles.",
	legalHold: "Nécessaire à un procès ou à une enquête", purposes: "Finalités",
	nothing: "Nous avons cherché dans tous les systèmes qui pourraient contenir des données sur vous. Aucun n’en contient. Voici ce que chaque système a répondu.",

	nothingChanged: "Nous avons interrogé tous les systèmes. Votre demande ne concerne rien de ce qu’ils détiennent : rien n’a été modifié.",

	Skip: "Aller à la réponse", Contents: "Sur cette page",
	requestNumber: "Demande", received: "Reçue le", answeredBy: "Réponse de", law: "En vertu de", contact: "Questions sur cette réponse",
	foundIn: "%s dans %s",

	Overview: "En bref", System: "Système", Result: "Réponse", records: "Enregistrements", kept: "Conservés",

	Systems: "Système par système", Category: "Catégorie", origin: "D’où elles viennent", Purpose: "À quoi elles servent", legalBasis: "Ce qui nous y autorise",
	Recipients: "Qui les reçoit", storage: "Combien de temps elles sont conservées", noRecipients: "Personne en dehors de notre entreprise",
	emptyDatasets: "Également recherché, sans résultat : %s.",
	preview:       "Les %s premiers sur %s sont affichés. Tous se trouvent dans les fichiers.",
	Files:         "En entier", AsTable: "tableau (CSV)", AsJSON: "JSON", field: "Champ", value: "Valeur", yes: "oui", no: "non",
	hidden: "détenu, non affiché", othersHidden: "concerne une autre personne", noValue: "vide",

	Dataset: "Données", found: "Trouvés", erased: "Effacés", anonymised: "Anonymisés", rectified: "Rectifiés", restricted: "Limités",
	KeptTitle: "Ce qui doit être conservé, et jusqu’à quand",
	KeptLead:  "Ces enregistrements n’ont pas encore pu être effacés. Ils ne servent plus à rien d’autre.",
	keptUntil: "Conservés jusqu’au %s", keptNoEnd: "Aucune fin n’est encore connue",
	KeptNote:    "Ce jour venu, ils sont effacés. Vous n’avez pas besoin de le redemander.",
	Limits:      "Ce que cela change pour vous :",
	provenTitle: "Vérification",
	proven:      "Interrogé à nouveau le %s : rien n’a été trouvé.",
	provenKept:  "Interrogé à nouveau le %s : rien n’a été trouvé, sauf ce qui doit être conservé.",
	notProven:   "Aucune seconde vérification n’a été faite.",

	LeftOut: "Ce qui ne s’y trouve pas, et pourquoi", LeftOutLead: "Rien n’est omis sans le dire. Voici ce que vous ne trouverez pas dans ce dossier.",
	leftDerived:    "Nous l’avons déduit nous-mêmes d’autres données. Le droit à la portabilité couvre ce que vous nous avez fourni et ce qui a été enregistré de votre utilisation. Vous pouvez aussi en demander une copie : c’est le droit d’accès.",
	leftReceived:   "Nous l’avons reçu de tiers. Le droit à la portabilité couvre ce que vous nous avez fourni et ce qui a été enregistré de votre utilisation. Vous pouvez aussi en demander une copie : c’est le droit d’accès.",
	leftBasis:      "Nous le détenons pour une autre raison (%s). Le droit à la portabilité couvre ce qui repose sur votre consentement ou sur un contrat. Vous pouvez aussi en demander une copie : c’est le droit d’accès.",
	leftHidden:     "Nous détenons ceci sur vous : %s. Pour votre sécurité, la loi nous interdit de le montrer dans une réponse. À sa place, les fichiers disent « held, not shown » (détenu, non affiché).",
	leftOthers:     "Une partie concerne d’autres personnes, qui ont le droit que nous la gardions pour nous. À sa place, les fichiers disent « about somebody else, not shown » (concerne une autre personne, non affiché).",
	leftUncovered:  "Nous n’avons pas pu accéder à cette partie, ou pas entièrement. Ce à quoi nous n’avons pas eu accès n’est pas ici et n’a pas été modifié.",
	NothingLeftOut: "Rien n’a été omis.",

	Categories: "Catégories de données", CategoriesLead: "Ce qui a été collecté à votre sujet, par catégorie.", Sources: "Sources",

	Looked: "Comment nous vous avons cherché", LookedLead: "Chaque système connaît les personnes par d’autres identifiants. Voici ceux par lesquels nous vous avons cherché.",
	Identifier: "Identifiant", HowKnown: "Comment nous le connaissons", fromRequest: "Vous l’avez donné avec votre demande.", fromRequestVerified: "Vous l’avez donné avec votre demande, et il a été vérifié.",
	fromSystem: "Trouvé par %s.", fromSystemBy: "Trouvé par %s, à partir de votre %s %s.",

	Rights: "Vos droits", RightsLead: "Vous pouvez aussi nous demander :",
	Complaint: "Si vous n’êtes pas satisfait", ComplaintLead: "Vous pouvez adresser une réclamation à :",
	ComplaintGeneral: "Vous pouvez adresser une réclamation à l’autorité de protection des données du lieu où vous vivez ou travaillez.",
	Automated:        "Décisions automatisées", Transfers: "Transferts vers d’autres pays", Statements: "À savoir aussi",

	Folder: "Ce que contient ce dossier", FolderLead: "Gardez le dossier entier : ses fichiers vont ensemble. Vous pouvez le copier, imprimer cette page ou confier le dossier à quelqu’un d’autre.",
	folderCSV:     "des tableaux, pour tout tableur. Un texte qu’un tableur pourrait prendre pour une formule est précédé d’une apostrophe.",
	folderJSON:    "les mêmes enregistrements, exactement tels qu’ils sont détenus, pour les programmes",
	folderPackage: "décrit chaque fichier de données et ses colonnes (Data Package, version 2)",
	folderAnswer:  "ce que dit cette page, pour les programmes",
	FolderCheck:   "Les fichiers à côté de ce dossier permettent à chacun de vérifier que rien n’a été modifié ni perdu (BagIt, RFC 8493).", Colon: " :",

	rightMeans: map[dsar.Right]string{
		dsar.Access: "une copie des données que nous détenons sur vous", dsar.Portability: "ce que vous nous avez fourni, sous une forme que vous pouvez emporter ailleurs",
		dsar.KnowCategories: "quelles catégories de données nous collectons, d’où elles viennent, à quoi elles servent et qui les reçoit", dsar.Erasure: "d’effacer vos données",
		dsar.Rectification: "de rectifier ce qui est inexact", dsar.Restriction: "de conserver vos données sans plus les utiliser", dsar.Objection: "de cesser une utilisation de vos données à laquelle vous vous opposez",
		dsar.ConsentWithdrawal: "de cesser ce que vous aviez accepté : vous pouvez retirer votre consentement à tout moment", dsar.OptOut: "de ne pas vendre ni partager vos données",
	},
	rightNames: map[dsar.Right]string{
		dsar.Access: "accès", dsar.Portability: "portabilité", dsar.KnowCategories: "savoir", dsar.Erasure: "effacement", dsar.Rectification: "rectification",
		dsar.Restriction: "limitation", dsar.Objection: "opposition", dsar.ConsentWithdrawal: "retrait du consentement", dsar.OptOut: "refus de la vente et du partage",
	},
	outcomes: map[dsar.Outcome]outcomeWords{
		dsar.Found:         {"Données détenues", "Ce système détient des données sur vous."},
		dsar.Gathered:      {"Données détenues", "Ce système détient des données sur vous."},
		dsar.Erased:        {"Effacé", "Tout ce que ce système détenait sur vous est effacé."},
		dsar.Anonymised:    {"Anonymisé", "Ce que ce système détenait sur vous est effacé, ou modifié pour toujours de sorte que personne ne puisse y être reconnu."},
		dsar.Rectified:     {"Rectifié", "Vos rectifications ont été faites."},
		dsar.Restricted:    {"Limité", "Les données sont conservées, et ne sont plus utilisées."},
		dsar.Retained:      {"Conservé en partie", "Une partie doit être conservée pour le moment. Le reste est effacé."},
		dsar.NothingFound:  {"Rien", "Ce système a été interrogé et ne détient rien sur vous."},
		dsar.NotApplicable: {"N’a pas pu être interrogé", "Ce système ne connaît les personnes que par %s, et nous n’en connaissons pas pour vous. Il n’a donc pas pu être interrogé à votre sujet."},
		dsar.Manual:        {"Traité par une personne", "Ce système ne peut pas être interrogé par une machine. Un membre de notre équipe s’en charge."},
		dsar.Failed:        {"Pas de réponse", "Ce système n’a pas pu répondre. Ce qu’il détient n’est pas ici."},
		dsar.Incomplete:    {"Incomplet", "Une partie de ce système n’a pas pu être consultée. Elle est nommée sous « Ce qui ne s’y trouve pas, et pourquoi »."},
	},
	origins: map[manifest.Origin]string{
		manifest.Provided: "Vous nous les avez fournies", manifest.Observed: "Enregistrées lorsque vous utilisiez nos services",
		manifest.Received: "Reçues de tiers", manifest.Derived: "Déduites d’autres données",
	},
	bases: map[string]string{
		"consent": "Votre consentement", "contract": "Un contrat avec vous", "legal-obligation": "Une obligation légale",
		"legitimate-interest": "Notre intérêt légitime", "vital-interest": "L’intérêt vital d’une personne", "public-task": "Une mission d’intérêt public",
	},
	categoryName: map[string]string{
		"identifiers": "identifiants", "customer records": "dossiers clients", "protected characteristics": "caractéristiques protégées",
		"commercial information": "informations commerciales", "internet or network activity": "activité sur internet ou le réseau",
		"biometric": "données biométriques", "geolocation": "géolocalisation", "audio, electronic, visual": "données sonores, électroniques, visuelles",
		"professional or employment": "vie professionnelle", "inferences": "déductions", "education": "formation",
	},
	hiddenKinds: map[string]string{
		"government-id": "un numéro d’identification officiel", "financial-account": "un numéro de compte financier", "health-id": "un numéro d’assurance maladie ou de dossier médical",
		"password": "un mot de passe", "security-question": "une question de sécurité ou sa réponse", "biometric": "des données biométriques uniques",
	},
	identifiers: map[dsar.IdentifierType]string{
		"email": "adresse e-mail", "phone": "numéro de téléphone", "account_id": "numéro de compte", "customer_ref": "référence client",
		"cookie_id": "identifiant de cookie", "tax_id": "numéro fiscal",
	},
	goesWith:     " (disparus avec : %s)",
	knownNowhere: outcomeWords{"Rien", "Ce système ne connaît les personnes que par %s. Nous avons interrogé %s, qui n’en connaît pas pour vous."},
	allKept:      outcomeWords{"Conservé pour le moment", "Tout ce que ce système détient sur vous doit être conservé pour le moment."},
	nothingToDo:  outcomeWords{"Rien à modifier", "Ce système a été interrogé. Votre demande n’y concerne rien."},
	notDone:      outcomeWords{"Pas fait", "Ce système n’a pas pu répondre. Ce que vous avez demandé n’y est pas fait."},
	onlyLeftOut:  outcomeWords{"Non couvert", "Ce système détient des données sur vous, mais aucune que couvre le droit à la portabilité."},
	months:       [12]string{"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
	or:           "ou", and: "et", thousands: "\u202f",
	plurals: map[string][2]string{"record": {"enregistrement", "enregistrements"}, "system": {"système", "systèmes"}, "dataset": {"type de données", "types de données"},
		"erased": {"enregistrement effacé", "enregistrements effacés"}, "kept": {"enregistrement conservé pour le moment", "enregistrements conservés pour le moment"}, "changed": {"enregistrement modifié", "enregistrements modifiés"}},
}
