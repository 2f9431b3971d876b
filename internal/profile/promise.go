package profile

import (
	"fmt"
	"slices"
)

// Promises are what an API says of its own behaviour, beside its limits. What is
// nil is not promised, and nobody is accused for want of it: a probe then rests on
// a standard, or does not ask.
type Promises struct {
	LimitHeaders    *LimitHeaders
	Health          *Health
	RequestIDs      *RequestIDs
	CORS            *CORS
	SecurityHeaders *SecurityHeaders
	Errors          *Errors
	Objects         *Objects
	Admins          *Admins
	Standards       []Standard // whose lines are promised as if they stood here
}

// Form is how a limit announces itself in headers.
type Form string

// The forms of limit headers.
const (
	NoHeaders  Form = "none"        // nothing is announced
	XRateLimit Form = "x-ratelimit" // X-RateLimit-Limit, -Remaining, -Reset (epoch seconds) and -Window (seconds)
	IETF       Form = "ietf"        // RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers)
)

// LimitHeaders says what an answer of a limited operation announces.
type LimitHeaders struct {
	Form       Form
	RetryAfter bool   // a refusal carries Retry-After
	Says       string // FILE:LINE of the document that promises it
}

// Health says what health checks answer.
type Health struct {
	// Answers are the fields of the answer to the operations health, ready and
	// live: place → its value, "" for any, Now for the moment in RFC 3339 with Z.
	Answers map[string]map[string]string
	Exact   []string // operations that answer with no other field
	Says    string   // FILE:LINE
}

// Now is a field's value that is the moment of the answer.
const Now = "{{now}}"

// RequestIDs says how answers can be found in the log.
type RequestIDs struct {
	Header string // that every answer carries
	UUID   bool   // what the API makes itself is a UUID; else any text
	Echo   bool   // an acceptable id of the client's is kept
	Says   string // FILE:LINE
}

// CORS says which other origins may read answers.
type CORS struct {
	Origins     []string // allowed ones; empty = those of the deployment's settings
	Credentials bool     // Access-Control-Allow-Credentials: true
	Says        string   // FILE:LINE
}

// SecurityHeaders says which headers every answer carries.
type SecurityHeaders struct {
	Headers map[string][]string // name → texts that its value contains; none = any value
	Says    string              // FILE:LINE
}

// Errors says what refusals look like.
type Errors struct {
	Type   string   // media type, such as application/problem+json; "" = any
	Fields []string // of the body
	Says   string   // FILE:LINE
}

// Objects says whose the objects are that list, create and get are about.
type Objects struct {
	Private bool   // who made one sees and changes it, and nobody else; nobody makes one in another's name
	Says    string // FILE:LINE
}

// Admins says which requests are for admins alone.
type Admins struct {
	Only []Operation
	Says string // FILE:LINE
}

// Standard is a published text whose lines an API promises to keep.
type Standard struct {
	Name string // one of Standards
	Says string // FILE:LINE
}

// Standards are the published texts that can be promised, or asked for.
func Standards() []string { return []string{ASVS, ProductionGuide} }

// The standards.
const (
	ASVS            = "asvs-5.0"         // OWASP Application Security Verification Standard 5.0.0
	ProductionGuide = "production-guide" // the security checklist of docs/SECURITY.md
)

// Promised tells whether a standard's lines are promised, and where.
func (p *Profile) Promised(standard string) (Standard, bool) {
	i := slices.IndexFunc(p.Promises.Standards, func(s Standard) bool { return s.Name == standard })
	if i < 0 {
		return Standard{}, false
	}
	return p.Promises.Standards[i], true
}

// Form is how a limit announces itself: its own form, else the one promised for
// all. False when neither says.
func (p *Profile) Form(l Limit) (Form, bool) {
	switch {
	case l.Headers != "":
		return Form(l.Headers), true
	case p.Promises.LimitHeaders != nil:
		return p.Promises.LimitHeaders.Form, true
	}
	return NoHeaders, false
}

// Place is a line of a file.
type Place struct {
	File string `json:"file"`
	Line int    `json:"line"` // from 1; 0 = the file as a whole
}

// String is FILE:LINE.
func (p Place) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d", p.File, p.Line)
}

// At is where a promise stands: the line of the user's document that `says:`
// names, else the line of the profile. what is "limits.login", "operations.list",
// "promises.health", "promises.standards"; what the profile does not have is its
// first line.
func (p *Profile) At(what string) Place {
	if at, ok := p.places[what]; ok {
		return at
	}
	return p.places[""]
}
