package identity

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"vitals/server/web"
)

const (
	prefix  = "/api/v1"
	maxBody = 4 << 10 // auth bodies are small (hardening 2.1)
)

// Register adds the routes of s to api. Operations say who may call them by
// Security and Metadata["roles"]; the middleware enforces it.
func Register(api huma.API, s *Service) {
	huma.Register(api, public(http.MethodPost, "/auth/login", "Sign in"), s.login)
	huma.Register(api, public(http.MethodPost, "/auth/refresh", "Buy a new pair of tokens with a refresh token"), s.refresh)
	huma.Register(api, signedIn(http.MethodGet, "/auth/me", "Who am I"), s.me)
}

// public is an operation for anyone.
func public(method, path, summary string) huma.Operation {
	return huma.Operation{
		OperationID: strings.ToLower(method) + strings.NewReplacer("/", "-", "{", "", "}", "").Replace(path),
		Method:      method, Path: prefix + path, Summary: summary,
		Tags: []string{"identity"}, MaxBodyBytes: maxBody,
	}
}

// signedIn is an operation for any user.
func signedIn(method, path, summary string) huma.Operation {
	op := public(method, path, summary)
	op.Security = []map[string][]string{{"bearer": {}}}
	return op
}

// forAdmins is an operation for admins.
func forAdmins(method, path, summary string) huma.Operation {
	op := signedIn(method, path, summary)
	op.Metadata = map[string]any{"roles": []web.Role{web.Admin}}
	return op
}
