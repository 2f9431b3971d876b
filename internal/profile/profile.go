// Package profile maps the operations that probes and scenarios know (sign in,
// list, create…) to the paths, fields and statuses of an API that is not ours, and
// says what that API promises, so that the same checks run against it and ask it
// for nothing else. Profiles are YAML that people write; two are built in: clinic,
// the reference API, and medication-reminder, the API that the summary guide was
// written for. Every field stands in docs/profiles.md.
package profile

import (
	"maps"
	"slices"
)

// Profile is one API as a client sees it.
type Profile struct {
	Name       string
	About      string
	Operations map[string]Operation // by the names of Operations
	Limits     map[string]Limit     // by policy
	Promises   Promises             // what it promises beside limits
	Token      string               // pattern, with one group, of a reset token in its mail; "" = none
	Metrics    map[string]string    // figure → what its Prometheus page calls it: see MetricNames
	Values     map[string]any       // filled into bodies and paths where no probe gives a value

	places map[string]Place // of "limits.login", "operations.list", "promises.health": see At
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
	Fields map[string]string // where a value stands in the answer: name → data.items.0.id, "." = the whole answer
	Policy string            // limit policy it counts under; "" = api, "none" = unlimited
}

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

// Fields are what probes and scenarios read from answers, sorted. In a list, id is
// an item's. A field of any other name may be read as well when an operation asks
// for it as {{name}}.
func Fields() []string { return slices.Sorted(maps.Keys(fields)) }

var fields = map[string]string{
	"access_token": "sent as bearer token", "refresh_token": "buys a new pair of tokens", "expires_in": "seconds that the access token lives",
	"challenge_token": "asks for the second factor", "status": "of what was asked for", "id": "of an object", "items": "of a list, . when the answer is the list itself",
	"user_id": "of who is signed in", "secret": "of a second factor", "recovery_codes": "of a second factor", "patient_id": "of who is signed in",
	"email": "of who is signed in", "role": "of who is signed in",
}

// Told are the names that an operation's answer gives values for placeholders by, sorted:
// those that the profile says a place for, and the other Fields, which are read under
// their own names. What the profile has a value for, and what every request has its own
// of, is taken from an answer only where the profile says its place.
func (p *Profile) Told(operation string) []string {
	out := keys(p.Operations[operation].Fields)
	for name := range fields {
		_, valued := p.Values[name]
		if !valued && placeholders[name] == "" && name != "access_token" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// Placeholders are the names that probes and scenarios fill in, sorted: what
// {{name}} may stand for in a path, a body or a header, beside the profile's own
// values and the fields of answers.
func Placeholders() []string { return slices.Sorted(maps.Keys(placeholders)) }

var placeholders = map[string]string{
	"email": "of an account", "password": "of an account", "new_password": "the one to change to",
	"token": "of a reset, from its mail", "code": "of a second factor", "id": "of the object that is read, changed or deleted",
	"medication_id": "of the object that a log entry is about", "medication_name": "name of an object to make", "action": "what is logged",
	"taken_at": "when it was", "start_date": "a day, as 2026-01-31", "notes": "any text", "quantity": "a small number", "days": "a small number",
	"uuid": "a fresh one", "now": "the moment, RFC 3339", "today": "the day, as 2026-01-31",
}
