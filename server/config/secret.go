package config

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a string that does not print: String, %v, %#v, every other verb,
// slog and encoding/json and /xml give "set(len=43)" or "unset". Only Reveal
// gives the value, so a leak is one word to grep for.
type Secret string

// Reveal is the value itself.
func (s Secret) Reveal() string { return string(s) }

// IsSet reports whether there is a value.
func (s Secret) IsSet() bool { return s != "" }

// String is "set(len=N)", N in bytes, or "unset".
func (s Secret) String() string {
	if s == "" {
		return "unset"
	}
	return fmt.Sprintf("set(len=%d)", len(s))
}

// GoString is String, for %#v.
func (s Secret) GoString() string { return s.String() }

// Format answers every verb with String: without it %d would print the value
// inside fmt's own complaint about the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, s.String()) }

// MarshalText is String, for encoding/json and its like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue is String, for slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
