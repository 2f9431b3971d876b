package load

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"vitals/internal/measure"
)

func TestClientSendsFromAChosenAddress(t *testing.T) {
	base, log := listen(t, func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := strings.Cut(r.RemoteAddr, ":")
		w.Header().Set("X-From", host+"/"+r.Header.Get("X-Forwarded-For"))
		w.WriteHeader(401)
		_, _ = fmt.Fprint(w, `{"code":"invalid_credentials"}`)
	})
	from := netip.MustParseAddr("127.0.3.9")
	for forward, want := range map[bool]string{false: "127.0.3.9/", true: "127.0.0.1/127.0.3.9"} {
		c := NewClient(base, forward, 0)
		a, err := c.Send(t.Context(), Request{Method: "POST", Path: "/login", Body: []byte("{}"), From: from, Header: map[string]string{"Content-Type": "application/json"}})
		c.Close()
		if err != nil {
			t.Fatal(err)
		}
		if a.Status != 401 || a.Header.Get("X-From") != want || string(a.Body) != `{"code":"invalid_credentials"}` || a.Class != measure.None {
			t.Errorf("forward %v: got %+v, want 401 seen from %s", forward, a, want)
		}
		if !a.Done.After(a.Sent) || time.Since(a.Sent) > time.Minute {
			t.Errorf("got times %s and %s, want now", a.Sent, a.Done)
		}
	}
	if len(log()) != 2 {
		t.Errorf("got %d requests, want 2", len(log()))
	}
}

func TestBurst(t *testing.T) {
	var mu sync.Mutex
	from := map[string]int{}
	base, _ := listen(t, func(w http.ResponseWriter, r *http.Request) {
		host, _, _ := strings.Cut(r.RemoteAddr, ":")
		mu.Lock()
		defer mu.Unlock()
		if from[host]++; from[host] > 5 {
			w.WriteHeader(429)
		}
	})
	c := NewClient(base, false, 0)
	defer c.Close()
	var requests []Request
	for i := range 50 {
		requests = append(requests, Request{Method: "POST", Path: "/login", Body: []byte(`{}`), From: netip.AddrFrom4([4]byte{127, 0, 4, byte(1 + i%2)})})
	}
	answers, spread, err := c.Burst(t.Context(), requests)
	if err != nil && !errors.Is(err, ErrSpread) {
		t.Fatal(err)
	}
	t.Logf("50 requests released in %s (%v)", spread, err)
	if (spread > 2*time.Millisecond) != errors.Is(err, ErrSpread) {
		t.Errorf("got spread %s and error %v, want the error past 2ms", spread, err)
	}
	codes := map[int]int{}
	for i, a := range answers {
		if a.Err != nil {
			t.Errorf("request %d: %v", i, a.Err)
		}
		codes[a.Status]++
		if i > 0 && a.Sent.Before(answers[i-1].Sent) {
			t.Errorf("request %d: got it released before the one before it", i)
		}
	}
	if codes[200] != 10 || codes[429] != 40 {
		t.Errorf("got %v, want 10 times 200 and 40 times 429: five of each address", codes)
	}
}

func TestBurstNeedsEveryConnection(t *testing.T) {
	c := NewClient(nowhereURL, false, time.Second)
	defer c.Close()
	_, _, err := c.Burst(t.Context(), make([]Request, 3))
	if err == nil || !strings.Contains(err.Error(), "request 1 of a burst of 3") {
		t.Errorf("got error %v, want the request that could not be prepared", err)
	}
}
