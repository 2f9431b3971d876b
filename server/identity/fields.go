package identity

import (
	"strings"
	"unicode"

	"github.com/danielgtaylor/huma/v2"
)

// Email is an address from a client: local part, @ and domain, without what has
// a meaning in a mail header or an SMTP command.
type Email string

// Schema satisfies huma.SchemaProvider.
func (Email) Schema(huma.Registry) *huma.Schema {
	shortest, longest := 3, 254 // RFC 5321 4.5.3.1.3, less the angle brackets
	return &huma.Schema{
		Type: huma.TypeString, MinLength: &shortest, MaxLength: &longest,
		Pattern:            `^[^@\s\x00-\x1f\x7f<>()\[\],;:\\"]+@[^@\s\x00-\x1f\x7f<>()\[\],;:\\"]+$`,
		PatternDescription: "an email address",
	}
}

// normal is the form in which an email is stored, looked up and counted.
func (e Email) normal() string { return strings.ToLower(string(e)) }

// Name is a first or last name: 1 to 100 code points, no control characters.
type Name string

// Schema satisfies huma.SchemaProvider.
func (Name) Schema(huma.Registry) *huma.Schema {
	shortest, longest := 1, 100
	return &huma.Schema{
		Type: huma.TypeString, MinLength: &shortest, MaxLength: &longest,
		Pattern: `^[^\x00-\x1f\x7f]+$`, PatternDescription: "text without control characters",
	}
}

// Device is what a request says about where it comes from; sessions show it.
type Device struct {
	UserAgent string `header:"User-Agent"`
}

const maxUserAgent = 200 // code points kept

// name is the User-Agent as a database takes it: a header may hold any byte.
func (d Device) name() string {
	kept := []rune(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(d.UserAgent, "�")))
	return string(kept[:min(len(kept), maxUserAgent)])
}
