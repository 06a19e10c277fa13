// Package schemas holds the contracts that Habeas is built to: the JSON Schemas
// of every event and of the files that people write, the AsyncAPI and OpenAPI
// documents, and the vectors that any implementation can be tested with; the schema
// of a fact has examples instead. It is the one module that an upstream system, in
// whatever language, needs to know.
//
// Stability: stable: a name that changes stands in the CHANGELOG.
package schemas

// What asyncapi.yaml says of the facts follows from their schemas.
//
//go:generate go run ./internal/asyncapi

import (
	"embed"
	"io/fs"
	"path"
	"strings"
)

// FS holds every file of this module that isn't Go: *.schema.json, events/,
// vectors/, asyncapi.yaml, openapi.yaml.
//
//go:embed *.schema.json *.yaml events vectors
var FS embed.FS

// Base is the address that every schema's $id begins with. Nothing is ever
// fetched from it: a schema refers to its neighbours, and all of them are in [FS].
const Base = "https://habeas.dev/schemas/"

// suffix ends the file name of a JSON Schema.
const suffix = ".schema.json"

// EventFile returns the file in [FS] that says what the data of an event type may
// hold; the file exists if and only if the type is one of [EventTypes].
func EventFile(typ string) string { return "events/" + typ + suffix }

// EventTypes lists the CloudEvent types that have a schema, sorted.
func EventTypes() []string {
	var types []string
	for _, name := range Files() {
		if dir, file := path.Split(name); dir == "events/" && strings.HasPrefix(file, "dsar.") {
			types = append(types, strings.TrimSuffix(file, suffix))
		}
	}
	return types
}

// Files lists the JSON Schemas in [FS] by file name, sorted.
func Files() []string {
	var names []string
	for _, pattern := range []string{"*" + suffix, "events/*" + suffix} {
		// The patterns are constants and well-formed: Glob has no other error.
		found, _ := fs.Glob(FS, pattern)
		names = append(names, found...)
	}
	return names
}

// Read returns a file of [FS]. The names are those of this module, so that a
// missing one is a mistake of the caller's.
func Read(name string) ([]byte, error) { return FS.ReadFile(name) }

// OpenAPI returns the contract of the HTTP door, OpenAPI 3.1 in YAML.
func OpenAPI() ([]byte, error) { return Read("openapi.yaml") }

// AsyncAPI returns the contract of the topics, AsyncAPI 3.0 in YAML.
func AsyncAPI() ([]byte, error) { return Read("asyncapi.yaml") }
