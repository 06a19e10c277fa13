package identifier_test

import (
	"fmt"

	"habeas.dev/pkg/identifier"
)

func ExampleRules_Normalise() {
	rules, err := identifier.New("FR")
	if err != nil {
		panic(err)
	}
	fmt.Println(rules.Normalise(identifier.Email, " Anna@Müller.de\u00a0"))
	fmt.Println(rules.Normalise(identifier.Phone, "06 12 34 56 78"))
	fmt.Println(rules.Normalise(identifier.Phone, "+33 (0)6 12 34 56 78"))
	// Output:
	// anna@xn--mller-kva.de
	// +33612345678
	// +33612345678
}
