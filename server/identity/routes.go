package identity

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"vitals/server/web"
)

const (
	prefix  = "/api/v1"
	maxBody = 4 << 10 // auth bodies are small
)

// Register adds the routes of s to api. Operations say who may call them by
// Security and Metadata["roles"]; the middleware enforces it.
func Register(api huma.API, s *Service) {
	huma.Register(api, public(http.MethodPost, "/auth/login", "Sign in"), s.login)
	huma.Register(api, public(http.MethodPost, "/auth/2fa/verify", "Answer a challenge with the second factor"), s.verify)
	huma.Register(api, public(http.MethodPost, "/auth/refresh", "Buy a new pair of tokens with a refresh token"), s.refresh)
	huma.Register(api, signedIn(http.MethodGet, "/auth/me", "Who am I"), s.me)

	huma.Register(api, status(http.StatusNoContent, signedIn(http.MethodPost, "/auth/logout", "End this session")), s.logout)
	huma.Register(api, signedIn(http.MethodPost, "/auth/logout-all", "End every session"), s.logoutAll)
	huma.Register(api, signedIn(http.MethodGet, "/auth/sessions", "Where I am signed in"), s.sessions)
	huma.Register(api, status(http.StatusNoContent, signedIn(http.MethodDelete, "/auth/sessions/{id}", "End one of my sessions")), s.endSession)

	huma.Register(api, signedIn(http.MethodPost, "/auth/2fa/enrol", "Make a second factor"), s.enrol)
	huma.Register(api, signedIn(http.MethodPost, "/auth/2fa/confirm", "Put the second factor in force"), s.confirm)
	huma.Register(api, status(http.StatusNoContent, signedIn(http.MethodPost, "/auth/2fa/disable", "Drop the second factor")), s.disable)

	huma.Register(api, signedIn(http.MethodPost, "/auth/password-change", "Change my password and end every other session"), s.changePassword)
	huma.Register(api, status(http.StatusAccepted, public(http.MethodPost, "/auth/password-reset", "Ask for a reset by mail")), s.requestReset)
	huma.Register(api, status(http.StatusNoContent, public(http.MethodPost, "/auth/password-reset/confirm", "Set a password by the mailed token")), s.confirmReset)
	if s.Registration {
		huma.Register(api, status(http.StatusAccepted, public(http.MethodPost, "/auth/register", "Ask for an account")), s.register)
	}

	huma.Register(api, forAdmins(http.MethodGet, "/users", "The users of my clinic"), s.listUsers)
	huma.Register(api, status(http.StatusCreated, forAdmins(http.MethodPost, "/users", "Add a user to my clinic")), s.createUser)
	huma.Register(api, forAdmins(http.MethodPatch, "/users/{id}", "Change a user's role or status"), s.patchUser)
	huma.Register(api, status(http.StatusNoContent, forAdmins(http.MethodDelete, "/admin/locks/{policy}/{ip}", "Lift a lock")), s.liftLock)
}

// OwnPolicy are the patterns of the routes that have a limit policy of their own
// and do not count against `api`, as ServeMux spells them.
func (s *Service) OwnPolicy() []string {
	patterns := []string{
		"POST " + prefix + "/auth/login",
		"POST " + prefix + "/auth/2fa/verify",
		"POST " + prefix + "/auth/2fa/enrol",
		"POST " + prefix + "/auth/2fa/confirm",
		"POST " + prefix + "/auth/2fa/disable",
		"POST " + prefix + "/auth/password-change",
		"POST " + prefix + "/auth/password-reset",
		"POST " + prefix + "/auth/password-reset/confirm",
	}
	if s.Registration {
		patterns = append(patterns, "POST "+prefix+"/auth/register")
	}
	return patterns
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

// status is an operation whose success is not 200.
func status(code int, op huma.Operation) huma.Operation {
	op.DefaultStatus = code
	return op
}
