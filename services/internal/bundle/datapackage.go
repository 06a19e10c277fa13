package bundle

import (
	"bytes"
	"encoding/hex"
	"strconv"
)

// dataPackage is a Data Package descriptor, version 2
// (https://datapackage.org/standard/data-package/).
type dataPackage struct {
	Schema    string     `json:"$schema"`
	Name      string     `json:"name"`
	ID        string     `json:"id"`
	Title     string     `json:"title"`
	Resources []resource `json:"resources"`
}

// resource describes one file of a data package. It names no dialect: every CSV
// file is as the standard has it where none is named.
type resource struct {
	Name        string       `json:"name"`
	Type        string       `json:"type,omitempty"` // table
	Title       string       `json:"title,omitempty"`
	Description string       `json:"description,omitempty"`
	Path        string       `json:"path"`
	Format      string       `json:"format,omitempty"`
	MediaType   string       `json:"mediatype"`
	Encoding    string       `json:"encoding,omitempty"`
	Bytes       int64        `json:"bytes"`
	Hash        string       `json:"hash"`
	Schema      *tableSchema `json:"schema,omitempty"`
	Habeas      *origin      `json:"habeas,omitempty"`
}

// origin is a property of our own: where a resource's records come from.
type origin struct {
	System  string `json:"system"`
	Dataset string `json:"dataset"`
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

// dataPackage adds the descriptor to dst: every data file, a line each. told is
// answer.json or certificate.json.
func (b *build) dataPackage(dst []byte, told packed) ([]byte, error) {
	title := b.words.Title[b.in.Right]
	frame, err := marshal(dataPackage{
		Schema: packageSchema, Name: "habeas-" + b.in.RequestID, ID: b.in.RequestID, Title: title,
		Resources: []resource{{
			Name: "answer", Title: title, Path: told.name[len(payloadDir):], Format: "json", MediaType: "application/json",
			Encoding: "utf-8", Bytes: told.bytes, Hash: "sha256:" + told.hash(),
		}},
	})
	if err != nil {
		return nil, err
	}
	frame, _ = bytes.CutSuffix(frame, []byte("]}"))
	dst = append(dst, frame...)
	for _, part := range b.systems {
		for i := range part.Manifest.Datasets {
			t := part.table(part.Manifest.Datasets[i].Name)
			if t == nil {
				continue
			}
			shape, err := t.shape(t.columns)
			if err != nil {
				return nil, err
			}
			dst = append(dst, ",\n"...)
			dst = appendResource(dst, shape.csvHead, shape.csvTail, t.csvFile)
			dst = append(dst, ",\n"...)
			dst = appendResource(dst, shape.jsonHead, shape.jsonTail, t.jsonFile)
		}
	}
	for _, f := range b.attached {
		text, err := marshal(resource{Name: f.name, Title: f.title, Path: f.packed.name[len(payloadDir):], MediaType: f.media, Bytes: f.bytes, Hash: "sha256:" + f.hash(), Habeas: &origin{f.of.system, f.of.dataset.Name}})
		if err != nil {
			return nil, err
		}
		dst = append(append(dst, ",\n"...), text...)
	}
	return append(dst, "]}\n"...), nil
}

// appendResource adds a resource whose length and hash are known by now.
func appendResource(dst, before, after []byte, file packed) []byte {
	dst = append(dst, before...)
	dst = append(dst, `"bytes":`...)
	dst = strconv.AppendInt(dst, file.bytes, 10)
	dst = append(dst, `,"hash":"sha256:`...)
	dst = hex.AppendEncode(dst, file.sum[:])
	dst = append(dst, `",`...)
	return append(dst, after...)
}

// resources describes both files of a dataset, but for their length and hash.
func (pl *plan) resources(columns []column) (csv, jsonFile resource) {
	schema := &tableSchema{MissingValues: []string{""}}
	schema.Fields = append(schema.Fields, field{Name: systemColumn, Type: "string"}, field{Name: datasetColumn, Type: "string"})
	for i := range columns {
		c := &columns[i]
		f := field{Name: c.name, Type: c.typ, Title: c.title}
		if c.held {
			f.Description = hiddenCell[1:] + c.kind
		}
		schema.Fields = append(schema.Fields, f)
	}
	r := resource{
		Title: pl.title, Description: pl.words.Text(pl.dataset.Purpose), Encoding: "utf-8",
		Habeas: &origin{pl.system, pl.dataset.Name},
	}
	csv, jsonFile = r, r
	csv.Name, csv.Type, csv.Path, csv.Format, csv.MediaType = pl.system+"."+pl.dataset.Name, "table", pl.csvName(), "csv", "text/csv"
	csv.Schema = schema
	jsonFile.Description = "" // as that of the table
	jsonFile.Name, jsonFile.Path, jsonFile.Format, jsonFile.MediaType = csv.Name+".json", pl.jsonName(), "json", "application/json"
	return csv, jsonFile
}
