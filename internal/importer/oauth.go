package importer

import (
	"regexp"
	"slices"

	yaml "github.com/pb33f/go-yaml"
	"github.com/pb33f/libopenapi/datamodel/high/base"
)

// Names of OAuth2's fields (RFC 6749, 4.3.2 and 6), as plain writes them.
const (
	clientID     = "clientid"
	clientSecret = "clientsecret"
	grantType    = "granttype"
)

// namesOf are the names of a schema's own fields, as plain writes them.
func namesOf(schema *base.Schema) (names []string) {
	for name := range schema.Properties.FromOldest() {
		names = append(names, plain(name))
	}
	return names
}

// spare tells whether a field of a request names the program that asks, where the document
// neither asks for it nor tells a value: one that was made up would be refused.
func spare(schema *base.Schema, name string, field *base.Schema) bool {
	p := plain(name)
	if p != clientID && p != clientSecret || slices.Contains(schema.Required, name) || slices.ContainsFunc(eitherOf(field), gives) {
		return false
	}
	beside := namesOf(schema)
	return slices.Contains(beside, "password") || slices.Contains(beside, grantType)
}

// granted is the value of a field, which for a grant_type is the grant that the fields
// beside it are of, where its schema has that one and gives no other.
func granted(beside []string, name string, v any, field *base.Schema) any {
	if plain(name) != grantType {
		return v
	}
	grant := ""
	switch {
	case slices.Contains(beside, "password"):
		grant = "password"
	case slices.Contains(beside, "refreshtoken"):
		grant = "refresh_token"
	}
	if either := eitherOf(field); grant != "" && !slices.ContainsFunc(either, gives) && slices.ContainsFunc(either, takes(grant)) {
		return grant
	}
	return v
}

// eitherOf is a schema with those that a value may have instead.
func eitherOf(s *base.Schema) []*base.Schema {
	all := []*base.Schema{s}
	for _, p := range slices.Concat(s.OneOf, s.AnyOf) {
		if one := p.Schema(); one != nil {
			all = append(all, one)
		}
	}
	return all
}

// gives tells whether a schema gives a value.
func gives(s *base.Schema) bool {
	_, ok := firstOf(s, said(s))
	return ok
}

// takes tells of schemas of texts whether they take this one.
func takes(text string) func(*base.Schema) bool {
	return func(s *base.Schema) bool {
		switch {
		case !slices.Contains(s.Type, "string") && len(s.Enum) == 0:
			return false
		case len(s.Enum) > 0:
			return slices.ContainsFunc(s.Enum, func(n *yaml.Node) bool { return n != nil && n.Value == text })
		case s.Pattern != "":
			match, err := regexp.Compile(s.Pattern)
			return err == nil && match.MatchString(text)
		}
		return true
	}
}
