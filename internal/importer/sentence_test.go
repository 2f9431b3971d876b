package importer_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"vitals/internal/discover"
	"vitals/internal/profile"
)

// readLogin is the limit of signing in that a description of a refusal becomes, and what
// is marked above it.
func readLogin(t *testing.T, status int, description, headers string) (l profile.Limit, mark string) {
	t.Helper()
	refusal := `"` + strconv.Itoa(status) + `": {description: ` + strconv.Quote(description) + headers + `}, `
	f := imported(t, strings.Replace(document(""), `responses: {"200": {description: ok, content`, `responses: {`+refusal+`"200": {description: ok, content`, 1), "x.yaml")
	p, err := profile.Read(strings.NewReader(f.Profile), "profile.yaml")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(f.Profile, "\n")
	for i, line := range lines {
		if strings.HasPrefix(strings.TrimLeft(line, " #"), "login: {limit") && strings.Contains(lines[i-1], "# decide: ") {
			_, mark, _ = strings.Cut(lines[i-1], "# decide: ")
		}
	}
	return p.Limits["login"], mark
}

// The sentence that an audit writes for people's documents is read again as it was meant.
func TestSentencesOfDiscoverAreRead(t *testing.T) {
	for _, counts := range []string{"", profile.Failures, profile.Requests} {
		for _, by := range []string{"", profile.ByAddress, profile.ByAccount, profile.ByPair, profile.ByBoth} {
			for _, times := range []struct {
				window, lock time.Duration
				kind         string
			}{
				{time.Minute, 0, discover.FixedWindow}, {90 * time.Second, 0, discover.SlidingLog}, {time.Hour, 0, ""}, {time.Second, 0, discover.TokenBucket},
				{1500 * time.Millisecond, 0, discover.SlidingLog}, {61500 * time.Millisecond, 0, discover.SlidingLog}, {500 * time.Millisecond, 0, ""},
				{0, 20 * time.Second, discover.Lockout}, {time.Minute, 15 * time.Minute, discover.Lockout},
			} {
				for _, status := range []int{429, 423} {
					found := discover.Found{Kind: times.kind, Retry: times.lock > 0}
					found.Limit = profile.Limit{Limit: 4, Window: times.window, Lock: times.lock, Counts: counts, By: by, Statuses: []int{status}}
					sentence := found.Sentence()
					got, mark := readLogin(t, status, sentence, "")
					want := found.Limit
					if counts == "" {
						want.Counts = profile.Failures // with a mark
					}
					if got.Limit != want.Limit || got.Window != want.Window || got.Lock != want.Lock || got.Counts != want.Counts || got.By != want.By || got.Fixed != (times.kind == discover.FixedWindow) {
						t.Errorf("%s\ngot %+v", sentence, got)
					}
					if open := strings.Contains(mark, "counts:"); open != (counts == "") {
						t.Errorf("%s\ngot the mark %q", sentence, mark)
					}
					if open := strings.Contains(mark, "by:"); open != (by == "") {
						t.Errorf("%s\ngot the mark %q", sentence, mark)
					}
				}
			}
		}
	}
}

// People write it in many ways.
func TestLimitsAsPeopleWriteThem(t *testing.T) {
	const s, m = time.Second, time.Minute
	type limit struct {
		limit        int
		window, lock time.Duration
		by, success  string
	}
	for text, want := range map[string]limit{
		"4 failed sign-ins per account and IP address within 60 seconds, then locked for 20 seconds":                                                                                                                           {4, m, 20 * s, "pair", ""},
		"Locked. After 4 failed attempts within 60 seconds for the same account from the same IP address, further attempts are refused for 20 seconds, also with the right password. A successful sign-in resets the counter.": {4, m, 20 * s, "pair", "clears"},
		"4 failed attempts per minute per IP and account":                                                            {4, m, 0, "pair", ""},
		"4 failed attempts per minute per IP/account":                                                                {4, m, 0, "pair", ""},
		"4 failed attempts per minute per combination of e-mail address and client IP":                               {4, m, 0, "pair", ""},
		"4 failed attempts per minute per IP or account":                                                             {4, m, 0, "both", ""},
		"4 failed attempts per minute per IP and per account":                                                        {4, m, 0, "both", ""},
		"4 failed attempts per minute per e-mail address":                                                            {4, m, 0, "account", ""},
		"4 wrong passwords in a minute for the same user lock the account for a quarter; a right one does not reset": {4, m, 0, "account", "keeps"},
		"Too many failed attempts: 4 per 60 s, then the address is locked for an hour":                               {4, m, time.Hour, "address", ""},
		"HTTP 429 Too Many Requests after 4 failed log-ins by one client within 1m30s":                               {4, 90 * s, 0, "", ""},
		"After 4 failures from one address the client is blocked 20 seconds. Success clears the count.":              {4, 0, 20 * s, "address", "clears"},
		"After 4 failed sign-ins, sign-in is suspended for 2 hours (status 423 for all)":                             {4, 0, 2 * time.Hour, "", ""},
	} {
		got, mark := readLogin(t, 429, text, "")
		if is := (limit{got.Limit, got.Window, got.Lock, got.By, got.Success}); is != want {
			t.Errorf("%s\ngot %+v, want %+v; %q", text, is, want, mark)
		}
		if said := strings.Contains(mark, "by:"); said != (want.by == "") {
			t.Errorf("%s\ngot the mark %q", text, mark)
		}
	}
}

// At a sign-in the operation's description is read as well: where the refusal says no
// numbers, and where none is documented.
func TestLimitsOfTheOperation(t *testing.T) {
	for _, c := range []struct {
		description, refusal string
		limit, status        int
		mark                 bool
	}{
		{"After 4 failed sign-ins from one client address within 1 minute, further ones are refused with 423 for 20 seconds.", "", 4, 423, false},
		{"After 4 failed sign-ins from one client address within 1 minute, further ones wait.", "", 4, 429, true},
		{"After 4 failed sign-ins from one client address within 1 minute, further ones wait.", `"423": {description: Locked}, `, 4, 423, false},
		{"After 4 failed sign-ins from one client address within 1 minute, further ones wait.", `"429": {description: 9 failed attempts per minute per IP}, `, 9, 429, false},
		{"Sends a code of 6 digits in 10 minutes.", "", 0, 0, false},
	} {
		source := strings.Replace(document(""), "    post:\n", "    post:\n      description: "+c.description+"\n", 1)
		source = strings.Replace(source, `responses: {"200": {description: ok, content`, `responses: {`+c.refusal+`"200": {description: ok, content`, 1)
		f := imported(t, source, "x.yaml")
		p, err := profile.Read(strings.NewReader(f.Profile), "profile.yaml")
		if err != nil {
			t.Fatal(err)
		}
		l, ok := p.Limits["login"]
		if ok != (c.limit > 0) || ok && (l.Limit != c.limit || l.Status() != c.status) || strings.Contains(f.Profile, "statuses: that") != c.mark {
			t.Errorf("%+v\ngot %+v", c, l)
		}
	}
}

// What is refused then is not what was counted.
func TestWhatIsCountedStandsBesideItsNumber(t *testing.T) {
	for text, want := range map[string]string{
		"After 4 failed sign-ins within 1 minute from one address, all further requests are refused.": profile.Failures,
		"4 requests per minute per IP, whether they failed or not":                                    profile.Requests,
	} {
		if got, mark := readLogin(t, 429, text, ""); got.Counts != want || strings.Contains(mark, "counts:") {
			t.Errorf("%s: got %s and the mark %q", text, got.Counts, mark)
		}
	}
}

// What is open is marked: a lock of unknown length, and a refusal without its numbers.
func TestOpenLimitsAreMarked(t *testing.T) {
	for text, want := range map[string]string{
		"4 failed attempts per minute per IP, then locked": "lock: how long it is refused",
		"4 failed attempts per minute":                     "pair (the two together)",
		"The account is locked":                            "limit and window of POST /sign-in: a 423 is documented",
	} {
		if _, mark := readLogin(t, 423, text, ""); !strings.Contains(mark, want) {
			t.Errorf("%s: got the mark %q, want %q", text, mark, want)
		}
	}
	if l, mark := readLogin(t, 403, "The account was closed", ""); l.Limit != 0 || mark != "" {
		t.Errorf("got %+v and %q of an account that was closed", l, mark)
	}
}

// A refusal that says how long to wait and nothing else announces no limit; of one that
// says nothing at all nothing is said.
func TestFormOfLimitsAnnounced(t *testing.T) {
	const text = "4 failed attempts per minute per IP"
	api := func(headers string) string {
		return strings.Replace(document(""), `/zones: {get: {responses: {`, `/zones: {get: {responses: {"429": {description: 100 requests per minute and user`+headers+`}, `, 1)
	}
	for _, c := range []struct{ own, all, headers, form string }{
		{", headers: {Retry-After: {}}", "", "", "none"},
		{", headers: {Retry-After: {}}", ", headers: {RateLimit: {}}", "none", "ietf"},
		{"", ", headers: {RateLimit: {}}", "", "ietf"},
		{"", "", "", ""},
	} {
		source := strings.Replace(api(c.all), `responses: {"200": {description: ok, content`, `responses: {"429": {description: `+text+c.own+`}, "200": {description: ok, content`, 1)
		p, err := profile.Read(strings.NewReader(imported(t, source, "x.yaml").Profile), "profile.yaml")
		if err != nil {
			t.Fatal(err)
		}
		form := profile.Form("")
		if p.Promises.LimitHeaders != nil {
			form = p.Promises.LimitHeaders.Form
		}
		if got := p.Limits["login"].Headers; got != c.headers || form != profile.Form(c.form) {
			t.Errorf("%+v: got %q, and %q for all", c, got, form)
		}
	}
}
