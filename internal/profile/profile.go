// Package profiles maps the operations that probes and scenarios know (sign in,
// list, create…) to the paths, fields and statuses of an API that is not ours, so
// that the same checks run against it. Profiles are YAML that people write; two
// are built in: clinic, the reference API, and medication-reminder, the API that
// the summary guide was written for.
package profile

import (
	"maps"
	"slices"
	"time"
)

// Profile is one API as a client sees it.
type Profile struct {
	Name       string
	About      string
	Operations map[string]Operation // by the names of Operations
	Limits     map[string]Limit     // by policy
	Token      string               // pattern, with one group, of a reset token in its mail; "" = none
	Values     map[string]any       // filled into bodies and paths where no probe gives a value
}

// Operation is one request, and how its answer is to be read.
type Operation struct {
	Method string
	Path   string            // with {{placeholders}}, from the server's root
	Body   map[string]any    // nil = none; texts may hold {{placeholders}}
	Form   bool              // the body travels as a form, not as JSON
	Header map[string]string // sent with it as it stands
	OK     int               // status of success; 0 = any 2xx
	Refuse int               // status of a wrong credential; 0 = 401
	Fields map[string]string
	Policy string // limit policy it counts under; "" = api, "none" = unlimited
}

// Limit is one line of a limits table.
type Limit struct {
	Limit   int
	Window  time.Duration
	Lock    time.Duration // 0 = exceeding it does not lock
	Counts  string        // Failures or Requests
	By      string        // address, user, or both: either of them
	Account int           // failures from which an account is throttled whatever the address; 0 = never
}

// What a limit counts.
const (
	Failures = "failures"
	Requests = "requests"
)

// Operations are all operations that a profile may map, sorted.
func Operations() []string { return slices.Sorted(maps.Keys(known)) }

// known are the operations, with what each is for.
var known = map[string]string{
	"login": "sign in", "refresh": "buy a new pair of tokens", "me": "who am I", "logout": "end this session",
	"sessions": "where I am signed in", "register": "ask for an account",
	"two_factor_enrol": "make a second factor", "two_factor_confirm": "put it in force", "two_factor_verify": "answer a challenge",
	"two_factor_disable": "drop it",
	"password_change":    "change my password", "password_reset": "ask for a reset", "password_reset_confirm": "set a password by a token",
	"list": "list my objects", "create": "make an object", "get": "read one", "update": "change one", "delete": "delete one",
	"low_stock": "list those that run out", "add_stock": "note a delivery",
	"list_reminders": "list my reminders", "reminders_of": "those of one object", "generate_reminders": "make some",
	"take_reminder": "mark one taken", "skip_reminder": "mark one skipped", "miss_reminder": "mark one missed",
	"write_log": "log an intake", "list_logs": "list the log", "get_log": "read an entry", "update_log": "change one", "void_log": "take one back",
	"adherence": "how well I take them", "recent": "what I logged lately",
	"disable_user": "bar a user from signing in", "users": "find users",
	"health": "is the process up", "ready": "can it serve", "live": "is it alive",
}

// fields are what a probe or a scenario reads from answers. In a list, id is an
// item's.
var fields = []string{
	"access_token", "refresh_token", "expires_in", "challenge_token", "status", "id", "items", "user_id", "secret", "recovery_codes", "patient_id", "email", "role",
}
