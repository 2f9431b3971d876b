package audit

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"vitals/internal/profile"
)

func lockSurvivesRedis(t *T) {
	live, api := t.Launch(Launch{Postgres: true, Redis: true})
	from, next, end := live.locked()
	for _, how := range []struct{ word, action string }{{"a clean restart of Redis", stopPart}, {"kill -9 of Redis", killPart}} {
		t.act(api, "redis", how.action)
		t.act(api, "redis", startPart)
		live.still(from, next, end, how.word)
		t.sleep(1500 * time.Millisecond)
		live.still(from, next, end, how.word+" and a moment")
	}
	if _, err := api.Redis(t.ctx, "FLUSHALL"); err != nil {
		t.Skip("FLUSHALL: %v", err)
	}
	t.script.say(t.began, "FLUSHALL")
	live.still(from, next, end, "FLUSHALL")
	t.sleep(1500 * time.Millisecond)
	live.still(from, next, end, "FLUSHALL and a moment")
	other := live.Address()
	live.WantWrong("login", live.Guess(other, unknownAccount()))
}

func redisGone(t *T) {
	live, api := t.Launch(Launch{Postgres: true, Redis: true, Env: map[string]string{"RATE_LIMIT_API": "100000"}})
	live.target.Deaf = true // it may legitimately begin to count anew in this process
	limit := live.Limit("login").Limit
	s := live.Session()
	for _, how := range []struct{ word, down, up string }{{"stopped", stopPart, startPart}, {"hung", pausePart, unpausePart}} {
		var before []time.Duration
		for range 20 {
			a := live.Do("me", s.from, s.access, nil)
			if !t.Want(a, http.StatusOK) {
				return
			}
			before = append(before, a.Done.Sub(a.Sent))
		}
		t.act(api, "redis", how.down)
		from, next := live.Address(), live.strangers()
		judged, refused := 0, 0
		var during []time.Duration
		for range 3 * limit {
			switch a := live.Send(live.Login(from, next(), wrongPassword())); live.read("login", a) {
			case profile.Wrong:
				judged++
			case profile.Refused:
				refused++
			default:
				t.Fail("%v with Redis %s: got %s, want a judgement or a refusal", a, how.word, a.got())
			}
			a := live.Do("me", s.from, s.access, nil)
			t.Check(a.Status == http.StatusOK, "%v with Redis %s: got %s, want 200", a, how.word, a.got())
			during = append(during, a.Done.Sub(a.Sent))
		}
		t.Check(judged <= limit && refused > 0, "with Redis %s %d of %d wrong sign-ins were judged, want at most %d", how.word, judged, judged+refused, limit)
		// 200 ms is RATE_LIMIT_REDIS_TIMEOUT; a breaker spares all but some of them.
		slow := quantile(during, 1)
		t.Check(slow < median(before)+time.Second, "with Redis %s one request took %v, without %v: a stall", how.word, slow, median(before))
		t.Check(median(during) < median(before)+200*time.Millisecond+50*time.Millisecond, "with Redis %s requests take %v, before %v: more than the limiter's timeout of 200 ms is added", how.word, median(during), median(before))
		t.Note("with Redis %s: %d judged, %d refused; a request takes %v (at most %v), before %v", how.word, judged, refused, median(during).Round(10*time.Microsecond), slow.Round(time.Millisecond), median(before).Round(10*time.Microsecond))
		t.act(api, "redis", how.up)
		up := time.Now()
		for {
			page, err := live.target.scrape(t.ctx, live.target.Admin)
			if err != nil {
				t.Skip("%v", err)
			}
			if sum(page, "rate_limit_degraded", nil) == 0 {
				break
			}
			if !t.Check(time.Since(up) < 2*time.Second, "with Redis back for %v the limiter still calls itself degraded", time.Since(up).Round(time.Millisecond)) {
				break
			}
			live.Do("me", s.from, s.access, nil)
			t.sleep(50 * time.Millisecond)
		}
	}
}

func redisKeys(t *T) {
	live, api := t.Launch(Launch{Postgres: true, Redis: true})
	from, _, _ := live.locked()
	s := live.Session()
	live.Do("me", s.from, s.access, nil)
	live.Do("me", from, "", nil)
	live.Guess(s.from, s.Email)
	live.Do("password_reset", from, "", values{"email": unknownAccount()})
	live.Do("password_change", s.from, s.access, values{"password": wrongPassword(), "new_password": strong()})
	do := func(args ...any) any {
		v, err := api.Redis(t.ctx, args...)
		if err != nil {
			t.Skip("Redis %v: %v", args[0], err)
		}
		return v
	}
	policy := fmt.Sprint(do("CONFIG", "GET", "maxmemory-policy"))
	t.Check(strings.Contains(policy, "noeviction"), "maxmemory-policy is %s, want noeviction", policy)
	keys, _ := do("KEYS", "*").([]any)
	t.Check(len(keys) > 3, "only %d keys in Redis: does the limiter use it?", len(keys))
	of := map[string]int{}
	for _, k := range keys {
		name := fmt.Sprint(k)
		ttl, _ := do("PTTL", name).(int64)
		t.Check(ttl > 0, "the key %s has no expiry (PTTL %d)", name, ttl)
		if at, rest, ok := strings.Cut(name, "}:"); ok {
			p, _, _ := strings.Cut(rest, ":")
			of[at+"} "+p]++
		}
	}
	for who, n := range of {
		t.Check(n <= 4, "%d keys for %s, want at most 4", n, who)
	}
	t.Note("%d keys", len(keys))
}
