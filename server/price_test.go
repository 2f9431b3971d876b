package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"vitals/internal/observe"
	"vitals/server/servertest"
)

// priceUsers are signed in and take turns, so that each stays below 100 requests
// in the limit's window. The window is a second here, the limit the published
// one: an hour's limit would need a new user every 100 requests, and cost the
// limiter the same.
const priceUsers = 400

// priceRoutes are the five commonest, reads first: what they write comes after.
var priceRoutes = []struct{ name, method, path, body string }{
	{"list medications", "GET", "/api/v1/medications?active_only=true&page_size=20", ""},
	{"list reminders", "GET", "/api/v1/reminders?status=pending&page_size=20", ""},
	{"adherence", "GET", "/api/v1/analytics/adherence", ""},
	{"write log", "POST", "/api/v1/logs", `{"medication_id":"%s","action":"taken","source":"manual","taken_at":"%s"}`},
	{"create medication", "POST", "/api/v1/medications", `{"name":"Amoxicillin","dosage":"500 mg","form":"capsule","frequency_type":"twice_daily",` +
		`"timezone":"Europe/Rome","start_date":"2026-01-01","current_stock":60,"low_stock_threshold":10}`},
}

// BenchmarkHardening is the price of hardening: the processor time of the serving
// process per request, and requests per second, on SQLite, with no layer before
// the handlers, with the whole chain and the limiter in memory, without and with
// the session check (a query of its own), and with the limiter in a real Redis
// (whose own processor time is not in it). All four take turns, a few hundred
// requests each, so that a busy machine disturbs them alike. Answers other than
// 2xx fail it.
func BenchmarkHardening(b *testing.B) {
	services := []*priced{
		startPriced(b, "bare", "bare"),
		startPriced(b, "trusting", "trusting"),
		startPriced(b, "memory", "full"),
		startPriced(b, "redis", "full", "REDIS_URL="+servertest.Redis(b)),
	}
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "CPU per request\tno layers\tall but the session check\twhole chain, memory\twhole chain, Redis\n")
	for _, route := range priceRoutes {
		cost := make([]time.Duration, len(services))
		b.Run(strings.ReplaceAll(route.name, " ", "_"), func(b *testing.B) {
			turns := make([][]slice, len(services))
			for left := b.N; left > 0; left -= sliceSize {
				for i, s := range services {
					turns[i] = append(turns[i], s.serve(b, min(left, sliceSize), route.method, route.path, route.body))
				}
			}
			for i, s := range services {
				var rate float64
				cost[i], rate = middle(turns[i])
				b.ReportMetric(float64(cost[i])/1e3, s.name+"-cpu-µs/op")
				b.ReportMetric(rate, s.name+"-req/s")
			}
		})
		fmt.Fprintf(w, "%s\t%v", route.name, cost[0].Round(time.Microsecond))
		for _, c := range cost[1:] {
			fmt.Fprintf(w, "\t%v (%+.0f %%)", c.Round(time.Microsecond), 100*(float64(c)/float64(cost[0])-1))
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush()                // into a strings.Builder
	fmt.Printf("\n%s\n", &table) // b.Log is not shown for a benchmark of benchmarks
}

// sliceSize is long enough for the kernel's clock of processor time, which ticks
// in hundredths of a second, and short enough for turns.
const sliceSize = 400

// slice is what one turn of a service was.
type slice struct {
	cost time.Duration // of the service's processes, per request
	rate float64       // requests per second
}

// middle is the mean of the middle half: a neighbour's burst is left out, and the
// clock's ticks are averaged.
func middle(s []slice) (cost time.Duration, rate float64) {
	slices.SortFunc(s, func(a, b slice) int { return cmp.Compare(a.cost, b.cost) })
	half := s[len(s)/4 : len(s)-len(s)/4]
	for _, x := range half {
		cost += x.cost / time.Duration(len(half))
		rate += x.rate / float64(len(half))
	}
	return cost, rate
}

// priced is a service in a process of its own, and its signed-in users.
type priced struct {
	name  string
	url   string
	meter observe.Meter
	http  *http.Client
	users []pricedUser
	turn  atomic.Uint64
}

type pricedUser struct{ token, medication string }

func startPriced(b *testing.B, name, variant string, vars ...string) *priced {
	b.Helper()
	vars = append(vars, "ARGON2_MEMORY_KIB=1024", "ARGON2_TIME=1", "RATE_LIMIT_API_WINDOW=1") // signing in is not measured
	cfg := testConfig(b, vars...)
	seed(b, cfg, priceUsers)
	ready := filepath.Join(b.TempDir(), "ready.json")
	cmd := exec.Command(os.Args[0], "-test.run=^TestPriceService$", "-test.v")
	cmd.Env = append(os.Environ(), "ENV=test", "HOST=127.0.0.1", "PORT=0", "ADMIN_ADDR=127.0.0.1:0", "LOG_FORMAT=json",
		"SECRET_KEY="+cfg.Core.SecretKey.Reveal(), "DATABASE_URL="+cfg.Database.URL.Reveal(),
		priceMark+"="+variant, priceReady+"="+ready)
	cmd.Env = append(cmd.Env, vars...)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	input, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	s := &priced{name: name, meter: observe.Process(cmd.Process.Pid)}
	s.http = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}, Timeout: time.Minute}
	b.Cleanup(func() {
		s.http.CloseIdleConnections()
		_ = input.Close()
		if err := cmd.Wait(); err != nil {
			b.Errorf("%s: %v\n%s", name, err, &said)
		}
	})
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		var at priceAddr
		if text, err := os.ReadFile(ready); err == nil && json.Unmarshal(text, &at) == nil {
			s.url = "http://" + at.Addr
			break
		}
		if time.Now().After(deadline) {
			b.Fatalf("%s does not listen", name)
		}
	}
	for n := range priceUsers {
		u := pricedUser{token: strconv.Itoa(n + 1)} // which the bare service takes at its word
		if variant != "bare" {
			u.token = accessToken(b, s.http, s.url, n+1)
		}
		a := ask(b, s.http, "GET", s.url+priceRoutes[0].path, "", "Authorization: Bearer "+u.token)
		var list struct{ Items []struct{ ID string } }
		if err := json.Unmarshal([]byte(a.Text), &list); err != nil || len(list.Items) == 0 {
			b.Fatalf("%s: medications of user %d: got %d %s", name, n+1, a.StatusCode, a.Text)
		}
		u.medication = list.Items[0].ID
		s.users = append(s.users, u)
	}
	return s
}

// serve sends n requests over a few connections.
func (s *priced) serve(b *testing.B, n int, method, path, body string) slice {
	before, err := s.meter(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	began := time.Now()
	var left atomic.Int64
	left.Store(int64(n))
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for left.Add(-1) >= 0 {
				if err := s.ask(b.Context(), method, path, body); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	senders.Wait()
	took := time.Since(began)
	after, err := s.meter(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	return slice{(after.CPU - before.CPU) / time.Duration(n), float64(n) / took.Seconds()}
}

func (s *priced) ask(ctx context.Context, method, path, body string) error {
	u := s.users[s.turn.Add(1)%priceUsers]
	if strings.Contains(body, "%s") {
		body = fmt.Sprintf(body, u.medication, time.Now().UTC().Format(time.RFC3339))
	}
	q, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	q.Header.Set("Authorization", "Bearer "+u.token)
	if body != "" {
		q.Header.Set("Content-Type", "application/json")
	}
	a, err := s.http.Do(q)
	if err != nil {
		return err
	}
	text, err := io.ReadAll(a.Body)
	err = errors.Join(err, a.Body.Close())
	if err == nil && a.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: got %d %s, want success", method, path, a.StatusCode, text)
	}
	return err
}
