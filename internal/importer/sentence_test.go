package importer_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"vitals/internal/discover"
	"vitals/internal/importer"
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

// limitOf is the limit that a sentence becomes, with what is marked above it, or why it is none.
func limitOf(t *testing.T, sentence string) (line, mark string) {
	t.Helper()
	source, err := os.ReadFile("testdata/shop.har")
	if err != nil {
		t.Fatal(err)
	}
	f, err := importer.Import(source, importer.Options{File: "shop.har", Limit: sentence})
	if err != nil {
		return err.Error(), ""
	}
	lines := strings.Split(f.Profile, "\n")
	for i, line := range lines {
		if rest, ok := strings.CutPrefix(line, "  login: {limit"); ok {
			_, mark, _ = strings.Cut(lines[i-1], "# decide: ")
			return "{limit" + rest, mark
		}
	}
	return "", ""
}

// Each sentence with its limit, and the words that are marked; one that begins with ! is not marked.
func TestWhatSentencesMean(t *testing.T) {
	for sentence, want := range map[string][2]string{
		// Nobody said that failures are counted.
		"8 sign-ins in 20 seconds per IP":                                 {"{limit: 8, window: 20s, counts: requests, by: address}", "counts:"},
		"8 sign-in attempts in 20 seconds per IP":                         {"{limit: 8, window: 20s, counts: requests, by: address}", "counts:"},
		"8 sign-ins in 20 seconds per IP, successful ones included":       {"{limit: 8, window: 20s, counts: requests, by: address}", "!counts:"},
		"8 attempts (successful or not) in 20 seconds per IP":             {"{limit: 8, window: 20s, counts: requests, by: address}", "!counts:"},
		"8 attempts per minute per IP, whether failed or successful":      {"{limit: 8, window: 1m, counts: requests, by: address}", "!counts:"},
		"8 logins per minute per IP; successful ones are counted as well": {"{limit: 8, window: 1m, counts: requests, by: address}", "!counts:"},
		"8 attempts per minute per IP; successful ones do not count":      {"{limit: 8, window: 1m, counts: failures, by: address}", "!counts:"},
		"5 per 300 s": {"{limit: 5, window: 5m, counts: requests}", "counts:"},
		"5 attempts per minute per IP, then locked for 15 minutes":                                   {"{limit: 5, window: 1m, lock: 15m, counts: failures, by: address}", "counts:"},
		"5 log-ins per minute per IP, then locked for 15 minutes":                                    {"{limit: 5, window: 1m, lock: 15m, counts: requests, by: address}", "counts:"},
		"5 bad passwords per minute per IP":                                                          {"{limit: 5, window: 1m, counts: failures, by: address}", "!counts:"},
		"5 failed log-ins per minute per IP; further ones are refused, also with the right password": {"{limit: 5, window: 1m, counts: failures, by: address}", "!counts:"},
		"10 logins per minute per IP, valid or invalid":                                              {"{limit: 10, window: 1m, counts: requests, by: address}", "!counts:"},
		"5 tries in 5 minutes; after that, the account is blocked":                                   {"{limit: 5, window: 5m, counts: failures, by: account}", "counts:"},
		// Whom a lock is on.
		"5 failed logins in 20 seconds lock the account for 20 seconds":         {"{limit: 5, window: 20s, lock: 20s, counts: failures, by: account}", "!by:"},
		"After 5 failed logins in 1 minute accounts are locked for 1 hour":      {"{limit: 5, window: 1m, lock: 1h, counts: failures, by: account}", "!by:"},
		"We block your IP for 10 minutes after 5 failed logins":                 {"{limit: 5, lock: 10m, counts: failures, by: address}", "!by:"},
		"A 6-digit code. 5 wrong passwords in 1 minute locks the IP for 1 hour": {"{limit: 5, window: 1m, lock: 1h, counts: failures, by: address}", "!by:"},
		"After 5 failures the account gets temporarily suspended for 1 hour":    {"{limit: 5, lock: 1h, counts: failures, by: account}", "!by:"},
		"5 failed logins per minute are refused, without locking the account":   {"{limit: 5, window: 1m, counts: failures}", "by:"},
		"5 failed logins per IP lock the account for 1 hour":                    {"{limit: 5, lock: 1h, counts: failures}", "by:"},
		// Two limits, and counts that are none.
		"OAuth2 clients: 60 per minute; users: 5 failed attempts per minute per IP":                          {"{limit: 5, window: 1m, counts: failures, by: address}", "!by:"},
		"100 requests per minute per user, and 5 failed logins in 10 minutes per IP, then locked for 1 hour": {"{limit: 5, window: 10m, lock: 1h, counts: failures, by: address}", "!by:"},
		"100 requests per minute per user and 20 per minute per IP":                                          {"two limits were found (100 requests per minute per user; and 20 per minute per IP): name one", ""},
		"5 failed attempts per account in 5 minutes and 20 per IP":                                           {"two limits were found (", ""},
		"5 failed attempts per minute per IP and 5 per hour per account":                                     {"two limits were found (", ""},
		"After 5 failures a captcha is shown, after 10 locked for 15 minutes":                                {"two limits were found (", ""},
		"5 failed attempts per minute. After 5 failures locked for 15 minutes":                               {"{limit: 5, window: 1m, lock: 15m, counts: failures}", "by:"},
		"1 request per second, burst 20":                                                                     {"a burst is spoken of", ""},
		"5.5 attempts per minute":                                                                            {`the count "5.5" is none`, ""},
		"-5 failed attempts per minute":                                                                      {`the count "-5" is none`, ""},
		"3-5 failed attempts per minute":                                                                     {`the count "3-5" is none`, ""},
		// Locks are read, or marked.
		"5 failed attempts in 5 min. Lockout: 900 seconds.":                       {"{limit: 5, window: 5m, lock: 15m, counts: failures}", "!lock:"},
		"15-minute lockout after the 5th failed attempt":                          {"{limit: 5, lock: 15m, counts: failures}", "!lock:"},
		"5 failures -> 900s ban":                                                  {"{limit: 5, lock: 15m, counts: failures}", "!lock:"},
		"5 failures in 15 minutes lock the account":                               {"{limit: 5, window: 15m, counts: failures, by: account}", "lock:"},
		"5 failed attempts per minute, then a ban":                                {"{limit: 5, window: 1m, counts: failures}", "lock:"},
		"5 failed attempts per minute, then locked for up to 1 hour":              {"{limit: 5, window: 1m, counts: failures}", "lock:"},
		"5 failed attempts per minute, then exponential backoff up to 15 minutes": {"{limit: 5, window: 1m, counts: failures}", "delay:"},
		"exponential backoff up to 15 minutes after 5 failed attempts":            {"delay:", ""},
		// As people write.
		"five login attempts every five minutes":               {"{limit: 5, window: 5m, counts: requests}", "counts:"},
		"5 failures in 1 minute, then locked for half an hour": {"{limit: 5, window: 1m, lock: 30m, counts: failures}", "!lock:"},
		"a ban of a quarter of an hour after 5 failures":       {"{limit: 5, lock: 15m, counts: failures}", "!lock:"},
		"twelve failed attempts in one hour":                   {"{limit: 12, window: 1h, counts: failures}", "!counts:"},
		"5 req/min/IP":                                         {"{limit: 5, window: 1m, counts: requests, by: address}", "!"},
		"5 tries/15min":                                        {"{limit: 5, window: 15m, counts: requests}", "counts:"},
		"5/min/IP":                                             {"{limit: 5, window: 1m, counts: requests, by: address}", "counts:"},
		"After 5 failures in a row you must wait 15 minutes":   {"{limit: 5, lock: 15m, counts: failures}", "!lock:"},
		"1,000 requests per hour":                              {"{limit: 1000, window: 1h, counts: requests}", "!counts:"},
		"max. 8 login requests per 20s and IP":                 {"{limit: 8, window: 20s, counts: requests, by: address}", "!by:"},
		"10 failed sign-ins per IP and minute":                 {"{limit: 10, window: 1m, counts: failures, by: address}", "!by:"},
	} {
		line, mark := limitOf(t, sentence)
		word, not := strings.CutPrefix(want[1], "!")
		if !strings.Contains(line, want[0]) || not && word != "" && strings.Contains(mark, word) || !not && !strings.Contains(mark, word) {
			t.Errorf("%s\ngot %s, marked %q\nwant %s, %s", sentence, line, mark, want[0], want[1])
		}
	}
}

// In a specification what cannot be taken as one limit is marked, and nothing is promised.
func TestTwoLimitsInASpecificationAreMarked(t *testing.T) {
	l, mark := readLogin(t, 429, "100 requests per minute per user and 20 per minute per IP", "")
	if l.Limit != 0 || !strings.Contains(mark, "two limits were found") {
		t.Errorf("got %+v, marked %q", l, mark)
	}
}
