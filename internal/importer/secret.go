package importer

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

var (
	// foreignPassword is a password in other languages, as plain writes names of fields.
	foreignPassword = `passwort|kennwort|motdepasse|mdp|contrase[nñ]a|senha|palavrapasse|wachtwoord|parola|l[oö]senord|adgangskode|passord|salasana|has[lł]o|heslo|[sş]ifre|пароль|密码|密碼|パスワード|비밀번호`
	secretKey       = regexp.MustCompile(`pass(word|wd|phrase|code)?$|^pwd|secret|apikey|privatekey|accesskey|^(access|refresh|id|auth|session|bearer|api|csrf|xsrf)?token$|authorization|credential|creditcard|cardnumber|^cvc$|^cvv$|^otp$|^pin$|^ssn$|sessionid|^sid$|^jwt$|^clave$|^sig$|signature$|(` + foreignPassword + `)$`)
	// secretHeader is what secretKey is, of headers: there more names are of sessions.
	secretHeader = regexp.MustCompile(`apikey|token|session|auth($|[^o])|oauth|jwt|sig$|signature|csrf|xsrf|^(x|api)?key$|cookie`)
	secretNumber = regexp.MustCompile(`^(pin|otp|cvc|cvv|ssn|creditcard(number)?|cardnumber)$|pass(word|code)$`)
	// tokenLike is the shape of keys and tokens that are widely known, anywhere in a text.
	tokenLike   = regexp.MustCompile(`(?:^|[^A-Za-z0-9_])(?:eyJ[A-Za-z0-9_-]{6}|[a-z]{2}_live_|[a-z]{2}_test_[A-Za-z0-9_]*[0-9]|[srp]k_[A-Za-z0-9_]*[0-9]|sk-[A-Za-z0-9_-]{16}|whsec_|gh[pousr]_|github_pat_|glpat-|npm_[A-Za-z0-9]{20}|hf_[A-Za-z]{20}|xox[a-z]-|A[KS]IA[A-Z0-9]{8}|AIza[A-Za-z0-9_-]{20}|ya29\.|SG\.[A-Za-z0-9_-]{10})|-----BEGIN [A-Z ]*PRIVATE KEY`)
	hexText     = regexp.MustCompile(`^(?:[0-9a-f]{32,}|[0-9A-F]{32,})$`)
	base64Text  = regexp.MustCompile(`^[A-Za-z0-9_+/-]{20,512}={0,2}$`)
	run         = regexp.MustCompile(`[A-Z]?[a-z]+|[A-Z]+|[0-9]+`)
	checksumKey = regexp.MustCompile(`^(x?content)?(sha[0-9]*|md5|digest|hash)$|checksum|^(etag|ifmatch|commit|revision)$`) // it tells what everybody may know
)

var (
	// secretWord is a name's last word that says that it is a key or a token.
	secretWord = regexp.MustCompile(`^(key|token|secret|jwt|otp|csrf|xsrf|pat)$|.token$|(client|app|application|license|subscription|session|auth|master|account|functions?|encryption|signing|ssh|user|developer|partner|merchant|shared|service|server|write|consumer|host|admin|access)key$`)
	// ordinaryKey is the word before it of those that are known to everybody: keys to sort and look up by, tokens of pages.
	ordinaryKey = regexp.MustCompile(`^(idempotency|sort|sorting|order|group|cache|surrogate|primary|foreign|partition|row|column|index|unique|natural|composite|business|lookup|search|filter|routing|storage|object|file|item|field|property|attribute|setting|config|feature|flag|event|record|entity|resource|project|issue|page|next|previous|continuation|sync|cursor|translation|i18n|message|label|locale|language|map|meta|metadata|param|parameter|dedup|deduplication|public|hot|shortcut)$`)
)

// secretName tells whether a name is called like a secret. A key that nothing tells more of
// may be any, as in {"key": "size", "value": "L"}.
func secretName(name string) bool {
	if secretKey.MatchString(plain(name)) {
		return true
	}
	words := lower(name)
	if len(words) == 0 || len(words) == 1 && words[0] == "key" || !secretWord.MatchString(words[len(words)-1]) {
		return false
	}
	return len(words) == 1 || !ordinaryKey.MatchString(words[len(words)-2])
}

// secret tells whether a value under a name must not be copied.
func secret(name, v string) bool {
	return secretName(name) || tokenLike.MatchString(v) || random(v) && !checksumKey.MatchString(plain(name))
}

var (
	drawn     = regexp.MustCompile(`[A-Za-z0-9_+/-]{20,}={0,2}`)
	namedText = regexp.MustCompile(`["']?([\w-]+)["']?\s*[:=]\s*["']?([^"'\s,;&<>{}\[\]]+)|<([\w:-]+)(?:\s[^<>]*)?>([^<>]+)</`)
)

// secretText tells whether something in a text of no known form is a secret.
func secretText(text string) bool {
	if tokenLike.MatchString(text) || slices.ContainsFunc(drawn.FindAllString(text, -1), random) {
		return true
	}
	return slices.ContainsFunc(namedText.FindAllStringSubmatch(text, -1), func(m []string) bool {
		return secretName(m[1]) || secretName(m[3])
	})
}

// secretParameter is secret for a parameter of a query. A code may be that of a country, and
// a state that of an order: those of a sign-in elsewhere stand together, or are no words.
func secretParameter(key, v, query string) bool {
	switch plain(key) {
	case "key":
		return strings.ContainsFunc(v, unicode.IsDigit) && len(v) >= 8 || secret(key, v)
	case "code", "state":
		together := strings.Contains("&"+query, "&code=") && strings.Contains("&"+query, "&state=")
		return together || strings.ContainsFunc(v, unicode.IsDigit) && len(v) >= 6 || secret(key, v)
	}
	return secret(key, v)
}

// random tells whether a text looks drawn by chance: hexadecimal digits, or such of base64,
// that change between words of capitals, small letters and digits as no text does.
func random(v string) bool {
	if hexText.MatchString(v) {
		return strings.ContainsAny(v, "0123456789") && strings.ContainsAny(v, "abcdefABCDEF")
	}
	if !base64Text.MatchString(v) || !strings.ContainsFunc(v, unicode.IsDigit) || !strings.ContainsFunc(v, unicode.IsUpper) || !strings.ContainsFunc(v, unicode.IsLower) {
		return false
	}
	parts := strings.FieldsFunc(v, func(r rune) bool { return strings.ContainsRune("_+/-=", r) })
	return (len(run.FindAllString(v, -1))-len(parts)+1)*3 > len(v) // a slug has hyphens, a name in camel case long words
}
