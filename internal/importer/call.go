package importer

import (
	"regexp"
	"slices"
	"strings"
)

// call is one request of an API, as any of the sources tells of it.
type call struct {
	method string
	path   string // with {name} for what differs from object to object
	id     string // the source's own name
	title  string
	query  string // what must stand behind the path
	header [][2]string

	body   any            // a JSON value; nil = none
	form   bool           // the body travels as a form
	other  string         // the media type of a body that is neither; "" = none
	answer any            // a sample of a good answer; nil = unknown
	ok     int            // status of success; 0 = unknown
	refuse []int          // documented statuses of 400 and above
	told   map[int]string // their descriptions
	bare   int            // status of a captured refusal of whoever showed no token; 0 = none
	opens  bool           // headers of its captured answer give a session
	signed bool           // it asks for somebody who is signed in
	old    bool           // deprecated
	others bool           // reserved for others than ordinary accounts
	says   string         // where the source has it; "" = unknown

	params map[string]any // samples of what stands in the path
	kind   kind
	decide []string
}

// kind is what a call is for.
type kind string

const (
	isLogin    kind = "login"
	isRefresh  kind = "refresh"
	isLogout   kind = "logout"
	isRegister kind = "register"
	isReset    kind = "password_reset"
	isConfirm  kind = "password_reset_confirm"
	isChange   kind = "password_change"
	isMe       kind = "me"
	isHealth   kind = "health"
	isReady    kind = "ready"
	isLive     kind = "live"
	isList     kind = "list"
	isCreate   kind = "create"
	isGet      kind = "get"
	isUpdate   kind = "update"
	isDelete   kind = "delete"
	isAction   kind = "action" // any other that changes something
	isRead     kind = "read"   // any other that reads
)

// segments of a path, without the empty ones.
func segments(path string) []string {
	path, _, _ = strings.Cut(path, "?")
	return slices.DeleteFunc(strings.Split(path, "/"), func(s string) bool { return s == "" })
}

func isParam(segment string) bool {
	return strings.Contains(strings.ReplaceAll(segment, "{{user_id}}", ""), "{") // that one is known wherever somebody is signed in
}

// noun is the last fixed segment of a path: what it is about.
func noun(path string) string {
	s := segments(path)
	for i := len(s) - 1; i >= 0; i-- {
		if !isParam(s[i]) {
			return s[i]
		}
	}
	return ""
}

var (
	loginWords    = regexp.MustCompile(`(?i)log[-_]?in|sign[-_]?in|authenticat|auth[-_]?with[-_]?password|sessions?$|/tokens?$|oauth2?/token|access[-_]?token|get[-_]?token|create[-_]?token|create[-_]?session`)
	logoutWords   = regexp.MustCompile(`(?i)log[-_]?out|sign[-_]?out`)
	ownSession    = regexp.MustCompile(`(?i)/(session[a-z]*|(sessions?|tokens?)/(current|me|self|this|mine))$`) // deleted, it signs out
	refreshWords  = regexp.MustCompile(`(?i)refresh`)
	registerWords = regexp.MustCompile(`(?i)regist(er|ration)|sign[-_]?up`)
	resetWords    = regexp.MustCompile(`(?i)(forgot|reset|recover)[-_a-z]*pass|pass(word)?[-_/]?(reset|forgot|recover)|request[-_]password`)
	confirmWords  = regexp.MustCompile(`(?i)confirm|complete|/reset$`)
	changeWords   = regexp.MustCompile(`(?i)change[-_]?pass|pass(word)?[-_/]?change`)
	meWords       = regexp.MustCompile(`(?i)/(me|self|whoami|current[-_]?user|profile)$|/users?/(me|current)$`)
	healthWords   = regexp.MustCompile(`(?i)/(health|healthz|healthcheck|health[-_]check|status|ping|up|heartbeat)$`)
	readyWords    = regexp.MustCompile(`(?i)/(ready|readyz|readiness)$`)
	liveWords     = regexp.MustCompile(`(?i)/(live|livez|liveness|alive)$`)
)

// identify says what the calls are for. Of several that could sign in, the surest
// alone does.
func identify(calls []*call) {
	best, score := -1, 0
	for i, c := range calls {
		c.kind = c.guess()
		if s := c.signsIn(); s > score {
			best, score = i, s
		}
	}
	for _, c := range calls {
		c.kind = c.settled(calls)
	}
	if best >= 0 {
		calls[best].kind = isLogin
	}
}

// signsIn is how surely a call signs in: it posts a password to a path that says so.
func (c *call) signsIn() int {
	if c.method != "POST" || registerWords.MatchString(c.path+" "+c.id) || resetWords.MatchString(c.path) || changeWords.MatchString(c.path) {
		return 0
	}
	_, password := credential(c.body)
	if password == "" {
		return 0
	}
	s := 0
	if loginWords.MatchString(trimmed(c.path)) {
		s += 4
	}
	if loginWords.MatchString(c.id + " " + c.title) {
		s += 3
	}
	if _, ok := byKey(c.answer, accessKeys...); ok || c.opens {
		s += 3
	}
	if !c.signed {
		s++
	}
	if s < 3 {
		return 0
	}
	for _, w := range []string{"admin", "superuser"} { // users come before those who run it
		if strings.Contains(strings.ToLower(c.path), w) {
			s -= 2
		}
	}
	return s
}

var (
	passwordKey = regexp.MustCompile(`^(password|passwd|pass|pwd|passphrase|userpassword|loginpassword|secret|pin|credential|` + foreignPassword + `)$`)
	accountKey  = regexp.MustCompile(`^(email|emailaddress|useremail|username|user|login|loginid|identity|identifier|account|accountname|phone|phonenumber|userid|name|mail|handle|benutzer(name)?|anmeldename|utilisateur|courriel|identifiant|usuario|correo|utilizador|gebruiker(snaam)?|utente)$`)
	looseKey    = regexp.MustCompile(`^(account|accountname|name|phone|phonenumber)$`) // it may be of something else
)

// credential finds where a body has its account and its password; "" where it has
// none. Of several accounts the surest beside the password is taken.
func credential(body any) (account, password string) {
	var fields []found
	for _, f := range walk(body) {
		if _, text := f.value.(string); f.key == "" || f.deep > 3 || !text && f.value != nil {
			continue
		}
		if fields = append(fields, f); password == "" && passwordKey.MatchString(plain(f.key)) {
			password = f.place
		}
	}
	best := 0
	for _, f := range fields {
		sure := namesAccount(f.key)
		if sure > 0 && around(f.place) == around(password) {
			sure += 10
		}
		if sure > best {
			account, best = f.place, sure
		}
	}
	return account, password
}

// namesAccount is how surely a field is called like an account; 0 = it is not.
func namesAccount(key string) int {
	switch p := plain(key); {
	case p == clientID:
		return 1 // of the program, where there is any other
	case looseKey.MatchString(p):
		return 2
	case accountKey.MatchString(p):
		return 3
	}
	return 0
}
