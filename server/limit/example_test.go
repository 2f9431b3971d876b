package limit_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"time"

	"vitals/server/limit"
	"vitals/server/web"
)

// A credential check goes through the gate: enter, judge, settle.
func ExampleGate_Enter() {
	ctx := web.WithClientIP(context.Background(), netip.MustParseAddr("192.0.2.1"))
	gate, err := limit.Open(ctx, limit.Options{
		Quotas: limit.Published(), SlotWait: 3 * time.Second, Secret: []byte("an example"),
	}, nil, nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	login := func(password string) {
		attempt, err := gate.Enter(ctx, limit.Login)
		if err != nil {
			fmt.Println(err)
			return
		}
		defer attempt.Release(ctx) // takes effect only if nothing below does
		if password != "right" {
			attempt.Fail(ctx, "alice@clinic.test")
			fmt.Println("401")
			return
		}
		attempt.Pass(ctx, "alice@clinic.test")
		fmt.Println("200")
	}
	for range 5 {
		login("wrong")
	}
	login("right")
	// Output:
	// 401
	// 401
	// 401
	// 401
	// 401
	// 429 locked_out: Too many failed attempts. Try again later.
}

func ExampleProxies_ClientIP() {
	p := limit.Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "10.0.0.1:4711"
	r.Header.Set("X-Forwarded-For", "1.2.3.4, 203.0.113.9") // the client wrote the first
	fmt.Println(p.ClientIP(r))
	// Output: 203.0.113.9
}

func ExampleKey() {
	fmt.Println(limit.Key(netip.MustParseAddr("2001:db8::1"), 64))
	fmt.Println(limit.Key(netip.MustParseAddr("192.0.2.1"), 64))
	// Output:
	// 2001:db8::/64
	// 192.0.2.1
}
