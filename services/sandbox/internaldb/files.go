package internaldb

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"

	"habeas.dev/pkg/manifest"
	"habeas.dev/services/sandbox/people"
)

// FilesIn is what manifests call the folder of the files beside a system's rows.
const FilesIn = "media"

// Folders returns the folders of the files beside a system's rows, by what its manifest calls
// them, as [Create] has made them in a folder; none where its rows have no files.
func Folders(dir, system string) map[string]string {
	for dataset := range tables[system] {
		if people.FileColumn(system, dataset) != "" {
			return map[string]string{FilesIn: filepath.Join(dir, system+"-files")}
		}
	}
	return nil
}

// DeclareFiles has a manifest declare the files beside its rows: those of a population that has
// files ([people.Config.Files]).
func DeclareFiles(m *manifest.Manifest) {
	for i := range m.Datasets {
		d := &m.Datasets[i]
		column := people.FileColumn(m.System, d.Name)
		if column == "" {
			continue
		}
		d.Columns = append(d.Columns, manifest.Column{Name: people.ContentColumn, Title: manifest.Text{"en": "Content", "fr": "Contenu"}})
		d.File = &manifest.File{Content: people.ContentColumn, Name: column}
		d.SQL.Files = &manifest.SQLFiles{In: FilesIn, Path: "{" + column + "}"}
	}
}

// writeFiles writes the files beside a system's rows.
func writeFiles(dir, system string, p *people.Population) error {
	folder, ok := Folders(dir, system)[FilesIn]
	if !ok {
		return nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for r := range p.All(system) {
		content, _ := r.Values[people.ContentColumn].(string)
		if content == "" {
			continue
		}
		data, err := base64.StdEncoding.DecodeString(content)
		if err != nil {
			return fmt.Errorf("file of %s %s: %w", r.Dataset, r.Key, err)
		}
		name := filepath.Join(folder, filepath.FromSlash(r.Values[people.FileColumn(system, r.Dataset)].(string)))
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(name, data, 0o600); err != nil {
			return err
		}
	}
	return nil
}
