package intruders_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"vitals/internal/intruders"
	"vitals/internal/load"
	"vitals/internal/measure"
	"vitals/internal/profile"
	"vitals/internal/wire"
	"vitals/scenarios"
)

// door is a sign-in with a lockout of its own and all that lies behind it, or
// with one thing broken in a named way. The real API is attacked in cmd/vitals'
// tests; here every fault is tried.
type door struct {
	mu      sync.Mutex
	fault   string
	asked   int
	failed  map[string]int // by policy and address
	locked  map[string]bool
	wrong   map[string]int  // by account
	known   map[string]bool // account and address that has signed in
	secrets map[string]string
	spent   map[string]string // challenge → account
	alive   map[string]string // token → its family
	dead    map[string]bool   // family
	serial  int
	sent    []wire.Request
	serve   func(net.Conn) // what is behind a bare connection

	wait func(now time.Time) string // its Retry-After; nil = 900
	says map[int]int                // statuses that it says instead of 401 and 429
	ends map[string]time.Time       // of locks
}

func newDoor(fault string) *door {
	return &door{
		fault: fault, failed: map[string]int{}, locked: map[string]bool{}, wrong: map[string]int{}, known: map[string]bool{},
		ends: map[string]time.Time{}, secrets: map[string]string{}, spent: map[string]string{}, alive: map[string]string{}, dead: map[string]bool{},
	}
}

// words are how a profile says what this door understands.
const words = `
profile: door
operations:
  login: {method: POST, path: /login, body: {email: "{{email}}", password: "{{password}}"}, policy: login}
  two_factor_enrol: {method: POST, path: /enrol, body: {password: "{{password}}"}}
  two_factor_confirm: {method: POST, path: /confirm, body: {code: "{{code}}"}}
  two_factor_verify: {method: POST, path: /verify, body: {challenge_token: "{{challenge_token}}", code: "{{code}}"}, policy: 2fa_verify}
  refresh: {method: POST, path: /refresh, body: {refresh_token: "{{refresh_token}}"}}
  logout: {method: POST, path: /logout, body: {refresh_token: "{{refresh_token}}"}}
  me: {path: /me, policy: none}
limits:
  login: {limit: 5, window: 300s}
  2fa_verify: {limit: 10, window: 300s}
`

// from is the address that this door takes a request to come from: the peer's,
// or the first that a header claims where it is gullible.
func (d *door) from(q wire.Request) string {
	believed := map[string]string{"gullible": "X-Forwarded-For", "gullible of a CDN": "CF-Connecting-IP"}[d.fault]
	if claimed := q.Header.Get(believed); believed != "" && claimed != "" {
		return claimed
	}
	if d.fault == "global" {
		return ""
	}
	return q.From.String()
}

func (d *door) Send(_ context.Context, q wire.Request) (wire.Answer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	d.sent = append(d.sent, q)
	now := time.Now()
	ans := wire.Answer{Sent: now, Done: now.Add(time.Millisecond), Header: http.Header{}}
	ans.Header.Set("X-Request-ID", "you said "+q.Header.Get("Authorization")+string(q.Body)) // as careless servers do
	body := map[string]string{}
	_ = json.Unmarshal(q.Body, &body) // none: no fields
	var out map[string]string
	switch q.Path {
	case "/login":
		ans.Header.Set("X-RateLimit-Limit", "5")
		if ans.Status, out = d.login(q, body); strings.HasSuffix(d.fault, "by cookie") && out != nil {
			ans.Header.Set("Set-Cookie", "session="+out["access_token"])
			out = nil
		}
	case "/enrol":
		key, _ := totp.Generate(totp.GenerateOpts{Issuer: "door", AccountName: q.User})
		d.secrets[q.User] = key.Secret()
		ans.Status, out = http.StatusOK, map[string]string{"secret": key.Secret()}
	case "/confirm":
		ans.Status = http.StatusOK
	case "/verify":
		ans.Status = d.verify(q, body)
	case "/refresh", "/logout", "/me":
		ans.Status, out = d.token(q, body)
	default:
		ans.Status = http.StatusNotFound
	}
	if d.fault == "hangs up" && ans.Status == http.StatusTooManyRequests {
		return wire.Answer{Sent: now, Done: ans.Done, Class: measure.ResetNew, Err: io.EOF}, nil
	}
	if ans.Status == http.StatusTooManyRequests {
		retry := 900
		if d.fault == "full" && d.asked < 8 {
			retry = 1
		}
		if strings.HasPrefix(d.fault, "waits") {
			retry = int((time.Until(d.ends["wait "+q.User]) + time.Second - 1) / time.Second)
		}
		if d.fault == "short lock" {
			retry = int((time.Until(d.ends["login "+d.from(q)]) + time.Second - 1) / time.Second)
		}
		ans.Header.Set("Retry-After", strconv.Itoa(retry))
	}
	if d.fault == "no wait" && ans.Status == http.StatusTooManyRequests {
		ans.Header.Set("Retry-After", "0")
	}
	if d.wait != nil && ans.Status == http.StatusTooManyRequests {
		ans.Header.Set("Retry-After", d.wait(now))
	}
	if now, ok := d.says[ans.Status]; ok {
		ans.Status = now
	}
	if out != nil {
		ans.Body, _ = json.Marshal(out)
	}
	return ans, nil
}

// login judges a password.
func (d *door) login(q wire.Request, body map[string]string) (int, map[string]string) {
	right := !strings.HasPrefix(body["password"], "not-")
	if strings.HasPrefix(d.fault, "waits") {
		return d.delayed(q, right)
	}
	limit := 5
	if strings.HasSuffix(d.fault, "widened") {
		limit = 6
	}
	if d.fault == "no lock" {
		limit = 1000
	}
	if strings.HasSuffix(d.fault, "narrowed") {
		limit = 3
	}
	key, home := "login "+d.from(q), q.User+" "+q.From.String()
	switch {
	case strings.HasPrefix(d.fault, "by account"):
		key = "login " + q.User
	case strings.HasPrefix(d.fault, "by pair"):
		key = "login " + home
	}
	if ended := d.ends[key]; d.fault == "short lock" && !ended.IsZero() && time.Now().After(ended) {
		d.locked[key], d.failed[key] = false, 0
		delete(d.ends, key)
	}
	if d.failed[key] >= limit && !right {
		d.locked[key] = true
		if d.ends[key].IsZero() {
			d.ends[key] = time.Now().Add(4 * time.Second)
		}
	}
	throttled := d.wrong[q.User] >= 20 && (!d.known[home] || d.fault == "account lock")
	switch {
	case d.fault == "full" && d.asked < 8:
		return http.StatusTooManyRequests, nil
	case d.fault == "unwell", d.fault == "shedding" && d.asked%3 != 0:
		return http.StatusServiceUnavailable, nil
	case d.fault == "crashing" && !right:
		return http.StatusInternalServerError, nil
	case strings.HasPrefix(d.fault, "open") && !right && d.failed[key] < 5:
		d.failed[key]++
		return http.StatusOK, d.pair("stolen")
	case d.fault == "disguised" && !right && !d.locked[key]:
		d.failed[key]++
		return http.StatusOK, map[string]string{"error": "wrong"}
	case d.fault == "disguised lock" && right && d.locked[key]:
		return http.StatusOK, map[string]string{"error": "locked"}
	case d.fault == "redirecting" && !right:
		return http.StatusTemporaryRedirect, nil
	case throttled:
		return http.StatusTooManyRequests, nil
	case d.locked[key] && !(d.fault == "oracle" && right) && !(d.fault == "sieve" && d.failed[key]%2 == 0):
		d.failed[key]++
		return http.StatusTooManyRequests, nil
	case !right:
		d.failed[key]++
		d.wrong[q.User]++
		return http.StatusUnauthorized, nil
	case d.secrets[q.User] != "":
		d.serial++
		c := "challenge-" + strconv.Itoa(d.serial)
		d.spent[c] = q.User
		return http.StatusOK, map[string]string{"challenge_token": c}
	}
	d.known[home] = true
	return http.StatusOK, d.pair("family-" + strconv.Itoa(d.serial))
}

// delayed judges a password where each try beyond three is judged after a wait, the first
// of 8 s and each twice as long as the one before.
func (d *door) delayed(q wire.Request, right bool) (int, map[string]string) {
	key := "wait " + q.User
	kept := d.fault != "waits for nobody" && !(right && d.fault == "waits but for the right one")
	switch {
	case kept && time.Now().Before(d.ends[key]):
		return http.StatusTooManyRequests, nil
	case right:
		return http.StatusOK, d.pair("family-" + strconv.Itoa(d.serial))
	}
	if d.failed[key]++; d.failed[key] >= 3 {
		d.ends[key] = time.Now().Add(8 * time.Second << (d.failed[key] - 3))
	}
	return http.StatusUnauthorized, nil
}

// pair is a session's next tokens.
func (d *door) pair(family string) map[string]string {
	d.serial++
	access, refresh := "access-"+strconv.Itoa(d.serial), "refresh-"+strconv.Itoa(d.serial)
	d.alive[access], d.alive[refresh] = family, family
	return map[string]string{"access_token": access, "refresh_token": refresh}
}

// verify judges a code.
func (d *door) verify(q wire.Request, body map[string]string) int {
	user := d.spent[body["challenge_token"]]
	right := totp.Validate(body["code"], d.secrets[user])
	key, limit := "2fa "+d.from(q), 10
	if strings.HasPrefix(d.fault, "4 codes") {
		limit = 4
	}
	if d.fault == "4 codes by challenge" {
		key = "2fa " + body["challenge_token"]
	}
	if d.failed[key] >= limit && !right {
		d.locked[key] = true
	}
	switch {
	case d.locked[key] && d.fault != "codes":
		return http.StatusTooManyRequests
	case d.fault == "failure inside" && !right: // 200 {"success": false}
		return http.StatusOK
	case right:
		return http.StatusOK
	}
	d.failed[key]++
	return http.StatusUnauthorized
}

// token judges refresh and access tokens.
func (d *door) token(q wire.Request, body map[string]string) (int, map[string]string) {
	raw := body["refresh_token"]
	if q.Path == "/me" {
		raw = strings.TrimPrefix(q.Header.Get("Authorization"), "Bearer ")
	}
	family, known := d.alive[raw]
	if !known {
		return http.StatusUnauthorized, nil
	}
	ended := d.dead[family] && d.fault != "undead" && !(d.fault == "stateless" && q.Path == "/me")
	used := d.dead[raw] && d.fault != "replay"
	switch {
	case ended:
		return http.StatusUnauthorized, nil
	case used:
		d.dead[family] = d.fault != "family lives"
		return http.StatusUnauthorized, nil
	case q.Path == "/refresh":
		d.dead[raw] = true
		return http.StatusOK, d.pair(family)
	case q.Path == "/logout":
		d.dead[family] = true
		return http.StatusNoContent, nil
	}
	return http.StatusOK, nil
}

// Burst reads every counter before it writes any when the door is racy.
func (d *door) Burst(ctx context.Context, qs []wire.Request) ([]wire.Answer, time.Duration, error) {
	out := make([]wire.Answer, len(qs))
	for i, q := range qs {
		out[i], _ = d.Send(ctx, q)
		if d.fault == "racy" && out[i].Status == http.StatusTooManyRequests {
			out[i].Status = http.StatusUnauthorized
		}
	}
	if d.fault == "slow burst" {
		return out, 9 * time.Millisecond, errors.New("released too slowly")
	}
	return out, 500 * time.Microsecond, nil
}

// Open gives one end of a pipe, with whatever serves behind the other.
func (d *door) Open(context.Context, netip.Addr) (net.Conn, string, error) {
	if d.serve == nil {
		return nil, "", errors.New("nobody listens")
	}
	ours, theirs := net.Pipe()
	go d.serve(theirs)
	return ours, "Host: door\r\n", nil
}

// assault lets intruders loose on a door.
func assault(t *testing.T, d *door, ins ...scenarios.Intruder) ([]intruders.Attack, map[string]measure.Fact, []measure.Sample) {
	t.Helper()
	profile, err := profile.Read(strings.NewReader(words), "door.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return assaultIn(t, d, profile, ins...)
}

func assaultIn(t *testing.T, d *door, profile *profile.Profile, ins ...scenarios.Intruder) ([]intruders.Attack, map[string]measure.Fact, []measure.Sample) {
	t.Helper()
	p := plan(ins, func() {})
	p.Profile = profile
	return carriedOut(t, d, p)
}

// carriedOut is what comes of a plan, its samples among it.
func carriedOut(t *testing.T, d *door, p intruders.Plan) ([]intruders.Attack, map[string]measure.Fact, []measure.Sample) {
	t.Helper()
	var mu sync.Mutex
	var samples []measure.Sample
	p.Record = func(s *measure.Sample) { mu.Lock(); defer mu.Unlock(); samples = append(samples, *s) }
	ended := 0
	p.Ended = func() { ended++ }
	group := intruders.New(p, d)
	group.Prepare(t.Context())
	during, over := context.WithTimeout(t.Context(), time.Minute)
	defer over()
	attacks := group.Run(t.Context(), during, time.Now())
	if ended != 1 {
		t.Errorf("the end of all recording was told %d times, want once", ended)
	}
	facts := map[string]measure.Fact{}
	for _, f := range append(intruders.Facts(attacks, 0), intruders.Findings(attacks)...) {
		facts[f.Name] = f
	}
	return attacks, facts, samples
}

// plan is one minute, of which the second half is the phase "attacked".
func plan(ins []scenarios.Intruder, missed func()) intruders.Plan {
	var victims []intruders.Victim
	for n := range intruders.Victims(ins) {
		name := string(rune('a' + n))
		victims = append(victims, intruders.Victim{Email: name + "@clinic.test", Password: "right-" + name})
	}
	signIn := scenarios.Step{Method: http.MethodPost, Path: "/login", Body: `{"email":"{{email}}","password":"{{password}}"}`}
	filled, err := load.NewSignIn(&scenarios.Scenario{Accounts: scenarios.Accounts{SignIn: signIn}}, load.Options{})
	if err != nil {
		panic(err) // there is nothing in it that could be missing
	}
	return intruders.Plan{
		Intruders: ins, Victims: victims, First: 100, Fill: filled.Fill,
		Load:    scenarios.Load{Stages: []scenarios.Stage{{Name: "quiet", For: time.Minute / 2}, {Name: "attacked", For: time.Minute / 2}}},
		SignIn:  signIn,
		Address: func(n uint64) netip.Addr { return netip.AddrFrom4([4]byte{127, 9, byte(n >> 8), byte(n)}) },
		Record:  func(*measure.Sample) {},
		Missed:  func(int, time.Duration) { missed() },
	}
}
