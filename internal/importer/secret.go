package importer

import (
	"regexp"
	"strings"
	"unicode"
)

var (
	// foreignPassword is a password in other languages, as plain writes names of fields.
	foreignPassword = `passwort|kennwort|motdepasse|mdp|contrase[nñ]a|senha|palavrapasse|wachtwoord|parola|l[oö]senord|adgangskode|passord|salasana|has[lł]o|heslo|[sş]ifre|пароль|密码|密碼|パスワード|비밀번호`
	secretKey       = regexp.MustCompile(`pass(word|wd|phrase|code)?$|^pwd|secret|apikey|privatekey|accesskey|^(access|refresh|id|auth|session|bearer|api|csrf|xsrf)?token$|authorization|credential|creditcard|cardnumber|^cvc$|^cvv$|^otp$|^pin$|^ssn$|sessionid|^sid$|^jwt$|^clave$|^sig$|signature$|(` + foreignPassword + `)$`)
	// secretHeader is what secretKey is, of headers: there more names are of sessions.
	secretHeader = regexp.MustCompile(`apikey|token|session|auth($|[^o])|oauth|jwt|sig$|signature|csrf|xsrf|^(x|api)?key$|cookie`)
	tokenLike    = regexp.MustCompile(`^(eyJ[A-Za-z0-9_-]+\.|sk_|pk_live|ghp_|xox[abp]-|AKIA)`)
	hexText      = regexp.MustCompile(`^(?:[0-9a-f]{32,}|[0-9A-F]{32,})$`)
	base64Text   = regexp.MustCompile(`^[A-Za-z0-9_+/-]{32,512}={0,2}$`)
	checksumKey  = regexp.MustCompile(`^(x?content)?(sha[0-9]*|md5|digest|hash)$|checksum|^(etag|ifmatch|commit|revision)$`) // it tells what everybody may know
)

// secret tells whether a value under a name must not be copied.
func secret(key, v string) bool {
	key = plain(key)
	return secretKey.MatchString(key) || tokenLike.MatchString(v) || random(v) && !checksumKey.MatchString(key)
}

// secretParameter is secret for a parameter of a query. A code may be that of a country, and
// a state that of an order: those of a sign-in elsewhere stand together, or are no words.
func secretParameter(key, v, query string) bool {
	switch plain(key) {
	case "code", "state":
		together := strings.Contains("&"+query, "&code=") && strings.Contains("&"+query, "&state=")
		return together || strings.ContainsFunc(v, unicode.IsDigit) && len(v) >= 6
	}
	return secret(key, v)
}

// random tells whether a text looks drawn by chance: hexadecimal digits, or such of base64,
// that change between capitals, small letters and digits as no words do.
func random(v string) bool {
	if hexText.MatchString(v) {
		return strings.ContainsAny(v, "0123456789") && strings.ContainsAny(v, "abcdefABCDEF")
	}
	if !base64Text.MatchString(v) {
		return false
	}
	of := func(r byte) int {
		switch {
		case r >= '0' && r <= '9':
			return 1
		case r >= 'a' && r <= 'z':
			return 2
		case r >= 'A' && r <= 'Z':
			return 4
		}
		return 0
	}
	all, changes := 0, 0
	for i := range len(v) {
		all |= of(v[i])
		if i > 0 && of(v[i-1]) != of(v[i]) && of(v[i-1]) != 0 && of(v[i]) != 0 { // a slug has hyphens
			changes++
		}
	}
	return all == 7 && changes*5 >= len(v)*2
}
