// Package api is the HTTP door's contract in Go, generated from
// schemas/openapi.yaml. Change the document, then run go generate.
package api

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 -config oapi-codegen.yaml ../../../schemas/openapi.yaml
