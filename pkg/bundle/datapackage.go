package bundle

// dataPackage is a Data Package descriptor, version 2
// (https://datapackage.org/standard/data-package/).
type dataPackage struct {
	Schema      string     `json:"$schema"`
	Name        string     `json:"name"`
	ID          string     `json:"id"`
	Title       string     `json:"title"`
	Description string     `json:"description"`
	Homepage    string     `json:"homepage,omitempty"`
	Resources   []resource `json:"resources"`
}

// resource describes one file of a data package.
type resource struct {
	Name        string       `json:"name"`
	Type        string       `json:"type,omitempty"` // table
	Title       string       `json:"title,omitempty"`
	Description string       `json:"description,omitempty"`
	Path        string       `json:"path"`
	Format      string       `json:"format"`
	MediaType   string       `json:"mediatype"`
	Encoding    string       `json:"encoding"`
	Bytes       int64        `json:"bytes"`
	Hash        string       `json:"hash"`
	Dialect     *dialect     `json:"dialect,omitempty"`
	Schema      *tableSchema `json:"schema,omitempty"`
	Habeas      *origin      `json:"habeas,omitempty"`
}

// origin is a property of our own: where a resource's records come from.
type origin struct {
	System  string `json:"system"`
	Dataset string `json:"dataset"`
	Records int64  `json:"records"`
}

type dialect struct {
	Delimiter      string `json:"delimiter"`
	LineTerminator string `json:"lineTerminator"`
	QuoteChar      string `json:"quoteChar"`
	DoubleQuote    bool   `json:"doubleQuote"`
	Header         bool   `json:"header"`
}

type tableSchema struct {
	Fields        []field  `json:"fields"`
	MissingValues []string `json:"missingValues"`
}

type field struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
}

const packageSchema = "https://datapackage.org/profiles/2.0/datapackage.json"

// ourDialect is how every CSV file is written (docs/adr on CSV cells).
var ourDialect = dialect{Delimiter: ",", LineTerminator: "\r\n", QuoteChar: `"`, DoubleQuote: true, Header: true}

// dataPackage describes every data file. told is answer.json or certificate.json.
func (b *build) dataPackage(told packed) *dataPackage {
	p := &dataPackage{
		Schema: packageSchema, Name: "habeas-" + b.in.RequestID, ID: b.in.RequestID,
		Title: b.words.title[b.in.Right], Description: b.words.lead[b.in.Right],
	}
	p.Resources = append(p.Resources, resource{
		Name: "answer", Title: b.words.title[b.in.Right], Path: told.name[len(payloadDir):], Format: "json", MediaType: "application/json",
		Encoding: "utf-8", Bytes: told.bytes, Hash: "sha256:" + told.hash(),
	})
	for _, part := range b.systems {
		for _, t := range part.tables {
			if t.records > 0 {
				p.Resources = append(p.Resources, b.tableResource(t), b.jsonResource(t))
			}
		}
	}
	return p
}

func (b *build) tableResource(t *table) resource {
	schema := &tableSchema{MissingValues: []string{""}}
	schema.Fields = append(schema.Fields, field{Name: systemColumn, Type: "string"}, field{Name: datasetColumn, Type: "string"})
	for _, c := range t.columns {
		f := field{Name: c.name, Type: c.typ, Title: c.title}
		if c.held {
			f.Description = string(hiddenCell[1:]) + c.kind
		}
		schema.Fields = append(schema.Fields, f)
	}
	r := b.resource(t, t.csvFile)
	r.Name, r.Type, r.Path, r.Format, r.MediaType = t.system+"."+t.dataset.Name, "table", t.csvName(), "csv", "text/csv"
	r.Dialect, r.Schema = &ourDialect, schema
	return r
}

func (b *build) jsonResource(t *table) resource {
	r := b.resource(t, t.jsonFile)
	r.Name, r.Path, r.Format, r.MediaType = t.system+"."+t.dataset.Name+".json", t.jsonName(), "json", "application/json"
	return r
}

func (b *build) resource(t *table, file packed) resource {
	return resource{
		Title: titleOr(t.dataset.Title.In(b.words.Lang), t.dataset.Name), Description: t.dataset.Purpose.In(b.words.Lang), Encoding: "utf-8",
		Bytes: file.bytes, Hash: "sha256:" + file.hash(), Habeas: &origin{t.system, t.dataset.Name, t.records},
	}
}
