package aggregator_test

import (
	"archive/zip"
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"habeas.dev/pkg/dsar"
	"habeas.dev/pkg/manifest"
	"habeas.dev/pkg/record"
	"habeas.dev/services/aggregator"
	"habeas.dev/services/internal/bundle"
	"habeas.dev/services/internal/bundle/bundletest"
	"habeas.dev/services/internal/core"
	"habeas.dev/services/internal/letter"
	"habeas.dev/services/internal/policy"
	"habeas.dev/services/internal/statement"
	"habeas.dev/services/internal/words"
)

var update = flag.Bool("update", false, "write the golden pages anew")

// shop returns a system with what laws treat differently: data that was derived,
// that must be kept, and that some laws never show.
func shop() *manifest.Manifest {
	text := func(en, fr string) manifest.Text { return manifest.Text{"en": en, "fr": fr} }
	return &manifest.Manifest{
		System: "shop", Title: text("Shop", "Boutique"), Limits: text("Orders can’t be delivered.", "Les commandes ne peuvent pas être livrées."), Needs: []dsar.IdentifierType{"email"}, Abilities: []dsar.Action{dsar.Gather, dsar.Erase},
		Datasets: []manifest.Dataset{
			{
				Name: "profile", Title: text("Profile", "Profil"), Category: "identifiers", Origin: manifest.Provided, Purpose: text("To deliver", "Livrer"), LegalBasis: "contract",
				Recipients: []string{"The carrier"}, Storage: text("A year", "Un an"),
				Columns: []manifest.Column{{Name: "name", Title: text("Name", "Nom")}, {Name: "iban", Title: text("Bank account", "Compte bancaire"), Secret: "financial-account"}},
			},
			{
				Name: "orders", Title: text("Orders", "Commandes passées"), Category: "commercial information", Origin: manifest.Observed, Purpose: text("To bill", "Facturer"), LegalBasis: "legal-obligation",
				Storage: text("Ten years", "Dix ans"), Columns: []manifest.Column{{Name: "number", Title: text("Number", "Numéro")}, {Name: "placed_on", Type: "date", Title: text("Day", "Jour")}},
				Retention: []manifest.Retention{{Ground: "tax-records", Source: "Code de commerce, art. L123-22", Title: text("Tax records", "Pièces fiscales"), Column: "placed_on", Period: "P10Y"}},
			},
			{
				Name: "scores", Title: text("Interests", "Centres d’intérêt"), Category: "inferences", Origin: manifest.Derived, Purpose: text("To advise", "Conseiller"), LegalBasis: "consent",
				Storage: text("A month", "Un mois"), Columns: []manifest.Column{{Name: "interest", Title: text("Interest", "Centre d’intérêt")}},
			},
		},
	}
}

// day is when requests come in, and are answered.
var day = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

// answerTo returns the answer of the shop, by the law of a jurisdiction.
func answerTo(t *testing.T, book *policy.Book, letters *letter.Writer, jurisdiction string, right, asked dsar.Right, lang string) map[string]string {
	t.Helper()
	return answerIn(t, book, letters, jurisdiction, right, asked, day, (*words.Languages)(nil).Naming(book.Named()).For(lang).Under(jurisdiction))
}

func answerIn(t *testing.T, book *policy.Book, letters *letter.Writer, jurisdiction string, right, asked dsar.Right, at time.Time, lang *words.Language) map[string]string {
	t.Helper()
	controller := aggregator.FromBook(book, declared(), shop().UsedFor())(jurisdiction, lang, right, at, at)
	in := bundle.Input{
		RequestID: requestID, Right: right, Language: lang, ReceivedAt: at,
		Identifiers: []statement.Identifier{{Type: "email", Value: "ann@example.com", Verified: true}}, Run: bundle.Run{At: at, Software: "habeas test"},
		Letter: aggregator.LetterFrom(letters),
	}
	request := statement.Request{ID: requestID, Right: right, Asked: asked, Jurisdiction: jurisdiction, ReceivedAt: at}
	told := core.Answer{Source: "test", Systems: []core.SystemAnswer{{System: "shop"}}}
	if asked != "" {
		told.Unproven, told.Judged = []dsar.Check{dsar.CheckIdentity}, 2
	}
	part := bundle.System{Manifest: shop()}
	end := func(a dsar.Action, o dsar.Outcome, counts ...dsar.Counts) {
		told.Systems[0].Ends = append(told.Systems[0].Ends, core.ActionEnd{Action: a, Outcome: o, At: at, Counts: counts})
	}
	kept := []dsar.Retention{{Records: 1, Ground: "tax-records", Until: time.Date(2034, 3, 1, 0, 0, 0, 0, time.UTC)}}
	counts := func(change func(*dsar.Counts)) []dsar.Counts {
		out := []dsar.Counts{{Dataset: "profile", Found: 1}, {Dataset: "orders", Found: 2}, {Dataset: "scores", Found: 1}}
		for i := range out {
			change(&out[i])
		}
		return out
	}
	switch right {
	case dsar.Access, dsar.Portability:
		end(dsar.Gather, dsar.Gathered)
		part.Sources = []bundle.Source{records(t)}
	case dsar.KnowCategories:
		end(dsar.Plan, dsar.Found, counts(func(*dsar.Counts) {})...)
	case dsar.Erasure:
		end(dsar.Plan, dsar.Found, counts(func(*dsar.Counts) {})...)
		end(dsar.Erase, dsar.Retained, dsar.Counts{Dataset: "profile", Found: 1, Erased: 1}, dsar.Counts{Dataset: "orders", Found: 2, Erased: 1, Retained: kept}, dsar.Counts{Dataset: "scores", Found: 1, Erased: 1})
		end(dsar.Prove, dsar.Proven, dsar.Counts{Dataset: "orders", Found: 1, Retained: kept})
	case dsar.Rectification:
		end(dsar.Rectify, dsar.Rectified, dsar.Counts{Dataset: "profile", Found: 1, Rectified: 1, Changed: []string{"name"}})
	default:
		end(dsar.Restrict, dsar.Restricted, counts(func(c *dsar.Counts) { c.Restricted = c.Found })...)
		j, _ := book.Jurisdiction(jurisdiction)
		if told.ByPurpose = j.Terms(right, at, nil).ByPurpose; told.ByPurpose {
			told.Purposes, request.Purposes = []string{"shop.scores"}, []string{"advice"}
		}
	}
	in.Systems = []bundle.System{part}
	cite(&told)
	in.Tell = func(read []statement.Reading) statement.Document {
		described := []statement.System{bundle.Describe(shop(), lang, jurisdiction)}
		return statement.Document{Format: statement.Format, Request: request, Controller: controller, Language: lang.Tag, Systems: described,
			Statements: statement.Make(statement.Evidence{Request: request, Told: told, Identifiers: in.Identifiers, Systems: described, Read: read, Abroad: controller.Abroad})}
	}
	var b bytes.Buffer
	if _, err := bundle.Write(t.Context(), &b, in); err != nil {
		t.Fatal(err)
	}
	return unzipped(t, b.Bytes())
}

func records(t *testing.T) bundle.Source {
	t.Helper()
	var b bytes.Buffer
	w := record.NewWriter(&b)
	for _, s := range []struct {
		section record.Section
		records []record.Record
	}{
		{record.Section{Dataset: "profile", Columns: []string{"name", "iban"}}, []record.Record{{"name": "Ann Ashby", "iban": secretIBAN}}},
		{record.Section{Dataset: "orders", Columns: []string{"number", "placed_on"}}, []record.Record{{"number": "F-1", "placed_on": "2014-03-01"}, {"number": "F-2", "placed_on": "2024-03-01"}}},
		{record.Section{Dataset: "scores", Columns: []string{"interest"}}, []record.Record{{"interest": "gardening"}}},
	} {
		must(t, w.Begin(s.section))
		for _, r := range s.records {
			must(t, w.Write(r))
		}
	}
	must(t, w.Close())
	return func(context.Context) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }
}

func unzipped(t *testing.T, data []byte) map[string]string {
	t.Helper()
	zr, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	must(t, err)
	files := map[string]string{}
	for _, f := range zr.File {
		r, err := f.Open()
		must(t, err)
		content, err := io.ReadAll(r)
		must(t, err)
		_, name, _ := strings.Cut(f.Name, "/data/")
		files[name] = string(content)
	}
	must(t, bundletest.CheckAnswer(files))
	return files
}

const secretIBAN = "FR7630006000011234567890189"

// sentence is what a page says in English and in French.
type sentence [2]string

// everywhere returns sentences of every answer under a law: its name, and to whom
// the person can complain. They are no other law's.
func everywhere() map[string][]sentence {
	return map[string][]sentence{
		"EEA":         {{"General Data Protection Regulation (GDPR)", "Règlement général sur la protection des données (RGPD)"}, {"Commission nationale pour la protection des données (CNPD), Luxembourg, or the authority where you live", "ou l’autorité de votre lieu de résidence"}},
		"UK":          {{"UK GDPR", "RGPD du Royaume-Uni"}, {"Information Commissioner’s Office (ICO)", "Information Commissioner’s Office (ICO)"}},
		"California":  {{"California Consumer Privacy Act (CCPA)", "California Consumer Privacy Act (CCPA)"}, {"California Privacy Protection Agency (CPPA)", "California Privacy Protection Agency (CPPA)"}, {"California Attorney General", "Procureur général de Californie"}, {"We will not treat you worse because you asked", "Nous ne vous traiterons pas moins bien"}},
		"Canada":      {{"Personal Information Protection and Electronic Documents Act (PIPEDA)", "Loi sur la protection des renseignements personnels et les documents électroniques (LPRPDE)"}, {"Privacy Commissioner of Canada", "Commissaire à la protection de la vie privée du Canada"}},
		"Japan":       {{"Act on the Protection of Personal Information (APPI)", "Loi sur la protection des informations personnelles (APPI)"}, {"Personal Information Protection Commission (PPC)", "Commission de protection des informations personnelles (PPC)"}, {"joint use of your data", "utilisation conjointe de vos données"}},
		"South Korea": {{"Personal Information Protection Act (PIPA)", "Loi sur la protection des informations personnelles (PIPA)"}, {"Personal Information Protection Commission (PIPC)", "Commission de protection des informations personnelles (PIPC)"}, {"Three companies process data for us", "Trois sociétés traitent des données pour notre compte"}},
		"Brazil":      {{"General Data Protection Law (LGPD)", "Loi générale sur la protection des données (LGPD)"}, {"National Data Protection Authority of Brazil (ANPD)", "Autorité nationale de protection des données du Brésil (ANPD)"}},
		"Switzerland": {{"Federal Act on Data Protection (FADP)", "Loi fédérale sur la protection des données (LPD)"}, {"Federal Data Protection and Information Commissioner (FDPIC)", "Préposé fédéral à la protection des données et à la transparence (PFPDT)"}},
		"Virginia":    {{"Virginia Consumer Data Protection Act (VCDPA)", "Virginia Consumer Data Protection Act (VCDPA)"}, {"Attorney General of Virginia", "Procureur général de Virginie"}},
		"Colorado":    {{"Colorado Privacy Act (CPA)", "Colorado Privacy Act (CPA)"}, {"Attorney General of Colorado", "Procureur général du Colorado"}},
		"elsewhere":   {{"privacy notice", "avis de confidentialité"}},
	}
}

// byRight returns sentences that every answer to a right has, and those that no
// answer to it has.
func byRight() map[dsar.Right]struct{ says, never []sentence } {
	limited := sentence{"What that means for you: Orders can’t be delivered.", "Ce que cela change pour vous : Les commandes ne peuvent pas être livrées."}
	changes := []sentence{{"Ann Ashby", "Ann Ashby"}, {"gardening", "gardening"}, {"F-2", "F-2"}, {secretIBAN, secretIBAN}}
	return map[dsar.Right]struct{ says, never []sentence }{
		dsar.Access: {
			[]sentence{{"The data we hold about you", "Les données que nous détenons sur vous"}, {"Ann Ashby", "Ann Ashby"}, {"gardening", "gardening"}, {"To deliver", "Livrer"}, {"Ten years", "Dix ans"}, {"The carrier", "The carrier"}, {"Worked out from other data", "Déduites d’autres données"}, {"A legal obligation", "Une obligation légale"}},
			[]sentence{{"Certificate of erasure", "Certificat d’effacement"}, {"Asked again on", "Interrogé à nouveau le"}, limited},
		},
		dsar.Portability: {
			[]sentence{{"Your data, to take with you", "Vos données, à emporter"}, {"Ann Ashby", "Ann Ashby"}, {"We worked it out ourselves from other data.", "Nous l’avons déduit nous-mêmes d’autres données."}, {"We hold it on another ground", "Nous le détenons pour une autre raison"}},
			[]sentence{{"gardening", "gardening"}, {"F-2", "F-2"}},
		},
		dsar.KnowCategories: {
			[]sentence{{"Categories of data", "Catégories de données"}, {"This answer isn’t limited to the 12 months before we received your request", "Cette réponse ne se limite pas aux 12 mois précédant la réception de votre demande"}, {"Inferences", "Déductions"}},
			changes,
		},
		dsar.Erasure: {
			[]sentence{{"Tax records (Code de commerce, art. L123-22)", "Pièces fiscales (Code de commerce, art. L123-22)"}, {"Kept until 1 March 2034", "Conservés jusqu’au 1er mars 2034"}, {"You need not ask again", "Vous n’avez pas besoin de le redemander"}, limited},
			append([]sentence{{"The data we hold about you", "Les données que nous détenons sur vous"}}, changes...),
		},
		dsar.Rectification:     {[]sentence{{"Corrected", "Rectifié"}, {"(changed: Name)", "(modifié : Nom)"}}, changes},
		dsar.Restriction:       {[]sentence{{"Your data, restricted", "Vos données, limitées"}}, changes},
		dsar.Objection:         {[]sentence{{"You objected to our use of your data", "Vous avez fait opposition"}}, changes},
		dsar.ConsentWithdrawal: {[]sentence{{"You withdrew your consent", "Vous avez retiré votre consentement"}, {"advice", "advice"}}, changes},
		dsar.OptOut:            {[]sentence{{"You opted out of uses of your data", "Vous avez refusé des utilisations de vos données"}}, changes},
	}
}

// offers returns how a page offers each right.
func offers(law string) map[dsar.Right]sentence {
	all := map[dsar.Right]sentence{
		dsar.Portability: {"for what you gave us, in a form that you can take elsewhere", "ce que vous nous avez fourni, sous une forme"}, dsar.Objection: {"to stop a use of your data that you object to", "de cesser une utilisation de vos données à laquelle"},
		dsar.ConsentWithdrawal: {"you can withdraw your consent at any time", "retirer votre consentement"}, dsar.OptOut: {"no promotional messages", "ne plus vous envoyer de messages promotionnels"},
		dsar.KnowCategories: {"which kinds of data we collect", "quelles catégories de données nous collectons"}, dsar.Restriction: {"to keep your data and stop using it", "sans plus les utiliser"},
	}
	switch law { // where a right is another thing
	case "California":
		all[dsar.Restriction] = sentence{"a limit to the use of your sensitive data", "la limitation de l’utilisation de vos données sensibles"}
		fallthrough
	case "Virginia", "Colorado":
		all[dsar.OptOut] = sentence{"an end to the sale and sharing of your data", "la fin de la vente et du partage de vos données"}
	}
	return all
}

// TestEveryRightUnderEveryLaw reads the answer to each right that each law
// grants, in both languages, as a person would: the sentences that must be there
// are, those that mustn't aren't, and the page is the one that was read and
// approved (testdata/law; -update writes it).
func TestEveryRightUnderEveryLaw(t *testing.T) {
	t.Parallel()
	book, err := policy.Load()
	must(t, err)
	letters := letter.NewWriter(book, declared())
	if len(everywhere()) != len(book.IDs()) {
		t.Error("a law has no sentences here")
	}
	for _, id := range book.IDs() {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			j, _ := book.Jurisdiction(id)
			var pages strings.Builder
			for _, right := range dsar.Rights() {
				if !grants(j, right) {
					continue
				}
				for n, lang := range []string{"en", "fr"} {
					files := answerTo(t, book, letters, id, right, "", lang)
					page := bundletest.ReadAloud(t, files["index.html"])
					if at := words.For(lang).Unbound(bundletest.AsPrinted(t, files["index.html"])); at != "" {
						t.Errorf("%s, %s, %s: a line may break at %q", id, right, lang, at)
					}
					fmt.Fprintf(&pages, "===== %s, %s =====\n%s\n", right, lang, strings.TrimSpace(page))
					r := reader{t, id + ", " + string(right) + ", " + lang, page, files, n}
					r.says(everywhere()[id]...)
					if limits := id == "California" && right == dsar.Restriction; limits {
						r.says(sentence{"Your sensitive data, limited", "Vos données sensibles, limitées"})
						r.never(byRight()[right].says[0])
					} else {
						r.says(byRight()[right].says...)
					}
					r.says(sentence{"Example Cloud SAS", "Example Cloud SAS"}, sentence{"20 November 2026", "20 novembre 2026"})
					r.never(byRight()[right].never...)
					allUse := []sentence{{"The data is kept, and no longer used.", "Les données sont conservées, et ne sont plus utilisées."}, {"What that means for you: Orders can’t be delivered.", "Ce que cela change pour vous : Les commandes ne peuvent pas être livrées."}}
					switch {
					case right.Stages()[0] != dsar.Restrict:
					case j.Terms(right, time.Now(), nil).ByPurpose:
						r.says(sentence{"What you asked for has ended here: to advise.", "Ce que vous avez demandé a cessé ici : conseiller."})
						r.never(allUse...)
					default:
						r.says(allUse...)
					}
					if first := right.Stages()[0]; first == dsar.Restrict || first == dsar.Rectify { // who changes something looks at no more
						r.never(sentence{"Also looked for", "Également recherché"}, sentence{"What was collected about you", "Ce qui a été collecté"})
					}
					for other, theirs := range everywhere() {
						if other != id && other != "elsewhere" {
							r.never(theirs...)
						}
					}
					for offered, words := range offers(id) {
						if !grants(j, offered) || offered == right {
							r.neverOnPage(words)
						} else {
							r.says(words)
						}
					}
					r.neverShown(right == dsar.Access || right == dsar.Portability)
				}
			}
			golden(t, id, pages.String())
		})
	}
}

func grants(j policy.Jurisdiction, r dsar.Right) bool {
	return slices.Contains(j.Granted(time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)), r)
}

// TestDaysAreTheLaws: a request that comes in on one day in UTC and on another by the law was
// received on the law's, wherever the answer says so.
func TestDaysAreTheLaws(t *testing.T) {
	t.Parallel()
	book, err := policy.Load()
	must(t, err)
	letters := letter.NewWriter(book, declared())
	languages := (*words.Languages)(nil).Naming(book.Named())
	for law, c := range map[string]struct {
		at         time.Time
		says, days []string
	}{
		"California":  {time.Date(2026, 11, 20, 5, 0, 0, 0, time.UTC), []string{"Received 19 November 2026", "On 19 November 2026"}, []string{"20 November", "18 November"}},
		"South Korea": {time.Date(2026, 11, 20, 16, 0, 0, 0, time.UTC), []string{"Received 21 November 2026", "On 21 November 2026"}, []string{"20 November", "22 November"}},
	} {
		for _, right := range []dsar.Right{dsar.Access, dsar.Erasure} {
			files := answerIn(t, book, letters, law, right, "", c.at, languages.For("en").Under(law))
			page := bundletest.ReadAloud(t, files["index.html"])
			for _, want := range c.says {
				if !strings.Contains(page, want) {
					t.Errorf("%s, %s: the page doesn't say %q", law, right, want)
				}
			}
			for _, never := range c.days {
				page := regexp.MustCompile(`(?m)^.*UTC.*$`).ReplaceAllString(page, "") // moments that name their zone
				if strings.Contains(page, never) {
					t.Errorf("%s, %s: the page says %q", law, right, never)
				}
			}
		}
	}
}

// TestCategoriesInstead: who asked for a copy in California and isn't proven gets
// the categories, is told why, and gets nothing of the copy (11 CCR 7024(a)).
func TestCategoriesInstead(t *testing.T) {
	t.Parallel()
	book, err := policy.Load()
	must(t, err)
	letters := letter.NewWriter(book, declared())
	for n, lang := range []string{"en", "fr"} {
		files := answerTo(t, book, letters, "California", dsar.KnowCategories, dsar.Access, lang)
		r := reader{t, lang, bundletest.ReadAloud(t, files["index.html"]), files, n}
		r.says(sentence{"we may not give out a copy", "nous ne pouvons donc pas en communiquer de copie"}, sentence{"Categories of data", "Catégories de données"})
		r.never(byRight()[dsar.KnowCategories].never...)
		for name := range files {
			if strings.Contains(name, "/") && !strings.HasPrefix(name, "habeas-") {
				t.Errorf("a copy: %s", name)
			}
		}
	}
}

// reader reads one answer.
type reader struct {
	*testing.T
	what  string
	page  string
	files map[string]string
	lang  int // index of a sentence
}

func (r *reader) says(sentences ...sentence) {
	r.Helper()
	for _, s := range sentences {
		if !strings.Contains(strings.ToLower(r.page), strings.ToLower(s[r.lang])) {
			r.Errorf("%s: the page doesn't say %q", r.what, s[r.lang])
		}
	}
}

func (r *reader) never(sentences ...sentence) {
	r.Helper()
	for _, s := range sentences {
		for name, content := range r.files {
			if strings.Contains(content, s[r.lang]) {
				r.Errorf("%s: %s says %q", r.what, name, s[r.lang])
			}
		}
	}
}

func (r *reader) neverOnPage(s sentence) {
	r.Helper()
	if strings.Contains(r.page, s[r.lang]) {
		r.Errorf("%s: the page says %q", r.what, s[r.lang])
	}
}

// neverShown: a secret is shown nowhere, under no law, and a copy describes it.
func (r *reader) neverShown(copies bool) {
	r.Helper()
	r.never(sentence{secretIBAN, secretIBAN})
	if !copies {
		return
	}
	r.says(sentence{"We hold this about you: a financial account number", "Nous détenons ceci sur vous : un numéro de compte financier"}, sentence{"held, not shown", "détenu, non affiché"})
}

// golden compares the pages of a law with those that were read and approved.
func golden(t *testing.T, id, got string) {
	t.Helper()
	path := filepath.Join("testdata", "law", strings.ReplaceAll(strings.ToLower(id), " ", "-")+".txt")
	if *update {
		must(t, os.MkdirAll(filepath.Dir(path), 0o750))
		must(t, os.WriteFile(path, []byte(got), 0o600))
	}
	want, err := os.ReadFile(path)
	must(t, err)
	if got != string(want) {
		t.Errorf("the pages differ from %s: %s; read them, and run with -update if they are right", path, bundletest.FirstDifference(got, string(want)))
	}
}
