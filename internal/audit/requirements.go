package audit

// Requirement is a line of OWASP ASVS 5.0.0 that a probe bears on.
type Requirement struct {
	ID     string // as 6.3.1; cite it as v5.0.0-6.3.1
	Level  int
	Asks   string // in our words; the text itself is at https://github.com/OWASP/ASVS/tree/v5.0.0
	Beyond string // what of its text no probe looks at; "" = the probes that bear on it are all of it
}

// requirements are those that a probe bears on. Where one asks for more than is looked
// at, it is never PASS: Beyond says what is left to whoever reads code and documents.
var requirements = []Requirement{
	{"1.5.3", 3, "parsers of the same data agree", "parsers of anything but JSON bodies"},
	{"2.2.1", 1, "input is validated against what is expected of it", "input other than dates"},
	{"3.4.1", 1, "Strict-Transport-Security of a year, subdomains included, on all answers", ""},
	{"3.4.2", 1, "CORS grants only origins on a list", ""},
	{"3.4.3", 2, "a Content-Security-Policy with object-src and base-uri 'none'", ""},
	{"3.4.4", 2, "X-Content-Type-Options: nosniff on all answers", ""},
	{"3.4.5", 2, "a referrer policy that hands nothing to other sites", ""},
	{"3.4.6", 2, "frame-ancestors on every answer", ""},
	{"4.1.3", 2, "headers that an intermediary sets cannot be set by a client", "headers that say who is signed in, such as X-User-ID"},
	{"4.1.4", 3, "only supported HTTP methods can be used", "other paths than that of signing in"},
	{"4.2.1", 2, "message boundaries leave no room for smuggling", "HTTP/2, and each component in front by itself"},
	{"6.1.1", 1, "limits on guessing are documented, and do not let others be locked out", "what the documentation says"},
	{"6.3.1", 1, "limits on guessing are kept as they are documented", ""},
	{"6.3.8", 3, "failed sign-ins, registrations and resets tell nobody who exists", "registration"},
	{"6.4.3", 2, "resetting a password is secure and does not pass by a second factor", ""},
	{"6.5.1", 2, "one-time codes work once", "recovery codes, and codes that are sent"},
	{"6.6.3", 2, "codes that are sent cannot be guessed by trying", "codes that are sent: those of an authenticator were tried"},
	{"7.4.1", 1, "a session that ended cannot be used", "expiry"},
	{"7.4.3", 2, "other sessions can be ended when a password or factor changes", "a changed second factor, and resets"},
	{"8.2.1", 1, "what is for some is refused to others", "requests other than those of the profile's promises: admins, and roles between"},
	{"8.2.2", 1, "objects of others cannot be reached", "objects other than those of the profile's list, create, get, update and delete"},
	{"8.2.3", 2, "fields that are not one's own cannot be reached", "reading fields, and writing those whose names were not guessed"},
	{"9.1.1", 1, "tokens are checked by their signature", ""},
	{"9.1.2", 1, "only listed algorithms are accepted, never none", ""},
	{"9.1.3", 1, "keys do not come from the token", "the headers jku and x5u"},
	{"9.2.2", 2, "tokens are accepted only for their purpose", ""},
	{"10.4.5", 1, "a refresh token that is used twice ends its family", "that it is an OAuth authorization server, which this is about"},
	{"13.2.6", 3, "connections to other services follow their documented limits", "connections other than those to the database"},
	{"13.3.1", 2, "secrets are kept in a vault, and out of code and builds", "the vault, the code and the builds"},
	{"13.4.1", 1, "no source control folders can be reached", "whether the application itself can read them"},
	{"13.4.2", 2, "debug modes are off in production", "debug modes of components beside the API's own"},
	{"13.4.4", 2, "TRACE is not supported", ""},
	{"13.4.5", 2, "documents and monitoring are not exposed unless intended", "paths other than the usual ones"},
	{"13.4.6", 3, "no versions of components are told", "versions in bodies and error pages"},
	{"13.4.7", 3, "files are served by a list of extensions only", "files other than .env and /etc/passwd"},
	{"14.3.2", 2, "what somebody signed in is told is not cached by browsers", "answers other than those to login and me"},
	{"15.2.2", 2, "costly functions cannot take the service down", "the functions that its documentation calls costly"},
	{"15.3.3", 2, "fields cannot be set that were not meant to be", "fields whose names were not guessed"},
	{"15.3.4", 2, "the client's address comes from a source that it cannot forge", "the address in the log"},
	{"15.4.2", 3, "checks and what depends on them are one step", "checks other than those of sign-ins, refresh tokens and codes"},
	{"15.4.4", 3, "nobody is starved of resources", "resources other than those of signing in"},
	{"16.2.1", 2, "log entries say when, where, who and what", "who did it"},
	{"16.2.4", 2, "logs can be read by the log processor in use", "the log processor itself"},
	{"16.2.5", 2, "sensitive data is logged by its level of protection, credentials never", "sensitive data other than credentials"},
	{"16.3.4", 2, "unexpected errors and failing controls are logged", "failing security controls, such as of TLS"},
	{"16.4.1", 2, "logs cannot be injected into", "values other than request ids"},
	{"16.5.1", 2, "errors tell nothing of the inside", ""},
	{"16.5.2", 2, "the service stays secure when another one fails", ""},
	{"16.5.3", 2, "nothing fails open", "errors of validation"},
	{"16.5.4", 3, "a last handler catches every error", ""},
}
