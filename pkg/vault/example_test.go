package vault_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"

	"habeas.dev/pkg/vault"
)

// An object is sealed as it is written, and opens with its request's keys only.
func ExampleVault_Create() {
	const request = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	ctx := context.Background()
	v, err := vault.InMemory(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := v.CreateKeys(ctx, request); err != nil {
		log.Fatal(err)
	}
	out, err := v.Create(ctx, request, "library/gather/1-a")
	if err != nil {
		log.Fatal(err)
	}
	defer out.Abort() // nothing, once it is closed
	if _, err := io.WriteString(out, "who borrowed what"); err != nil {
		log.Fatal(err)
	}
	if err := out.Close(); err != nil {
		log.Fatal(err)
	}
	in, err := v.OpenObject(ctx, request, "library/gather/1-a")
	if err != nil {
		log.Fatal(err)
	}
	text, err := io.ReadAll(in)
	fmt.Println(string(text), err)
	// Output: who borrowed what <nil>
}

// Destroying a request's keys destroys everything that was sealed with them, wherever
// copies of it lie.
func ExampleVault_Shred() {
	const request = "9f0d6c0e-6f0f-4b43-9f0f-3a9c3c0f7a11"
	ctx := context.Background()
	v, err := vault.InMemory(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if _, err := v.CreateKeys(ctx, request); err != nil {
		log.Fatal(err)
	}
	if err := v.Shred(ctx, request); err != nil {
		log.Fatal(err)
	}
	_, err = v.Keys(ctx, request)
	fmt.Println(errors.Is(err, vault.ErrShredded))
	// Output: true
}
