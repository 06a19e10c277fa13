// Package tests has below it the tests of habeas.dev/services that have other people's
// libraries at the other end: a mail server, a receiver of webhooks, a vendor's client, an
// address book.
// It is a module of its own, so that they are no part of what runs, and isn't
// released. Everything else is tested beside its code.
package tests
