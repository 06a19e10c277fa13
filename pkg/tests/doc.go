// Package tests has below it the tests of habeas.dev/pkg that need modules which its
// users never do: a broker in the process, OpenTelemetry's SDK. It is a module of its
// own, so that a worker's author doesn't get them, and isn't released. Everything
// else is tested beside its code.
package tests
