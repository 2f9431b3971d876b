package password_test

import (
	"fmt"

	"vitals/server/identity/password"
)

func ExamplePolicy_Check() {
	policy := password.NewPolicy(12)
	for _, word := range []string{"an elephant in a teapot", "short", "Sunshine2026!", "ada.byron-1815"} {
		fmt.Println(word, "→", policy.Check(word, "ada.byron@clinic.test"))
	}
	// Output:
	// an elephant in a teapot → <nil>
	// short → password has fewer than 12 characters
	// Sunshine2026! → password is one of the most common passwords, or made of one
	// ada.byron-1815 → password is little more than your name, your email or a word of this service
}
