package audit

import "testing"

// What differs from request to request tells two answers not apart; anything else does.
func TestContentOfAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, one, two string
		alike          bool
	}{
		{"ids and times", `{"error":{"code":1,"requestId":"a"},"timestamp":1,"Retry-After":3}`, `{"error":{"code":1,"requestId":"b"},"timestamp":2,"Retry-After":2}`, true},
		{"the id of the header under any name", `{"meta":["one-0001"],"ref":"one-0001"}`, `{"meta":["one-0001"],"ref":"two-0002"}`, true},
		{"a code", `{"code":1}`, `{"code":2}`, false},
		{"a field more", `{"code":1}`, `{"code":1,"hint":"no such user"}`, false},
		{"a field whose name only begins so", `{"timezone":"UTC"}`, `{"timezone":"CET"}`, false},
		{"no JSON", `wrong`, `who?`, false},
	} {
		if got := content([]byte(c.one), "one-0001") == content([]byte(c.two), "two-0002"); got != c.alike {
			t.Errorf("%s: got alike %v, want %v", c.name, got, c.alike)
		}
	}
}

// Stack traces of common languages are seen, and texts that speak of lines are not.
func TestTraces(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]bool{
		"Traceback (most recent call last):\n  File \"/srv/app.py\", line 12, in get": true,
		"java.lang.NullPointerException\n\tat com.shop.Orders.get(Orders.java:41)":    true,
		"   at Shop.Orders.Get(Int32 id) in /src/Orders.cs:line 41":                   true,
		"TypeError: x\n    at Object.<anonymous> (/srv/app/index.js:12:5)":            true,
		"goroutine 12 [running]:\nmain.get(...)":                                      true,
		"#0 /var/www/index.php(12): get()":                                            true,
		"app/orders.rb:12:in 'get'":                                                   true,
		`{"error":"an item at line 3 of the order is out of stock"}`:                  false,
		`{"detail":"file \"a.csv\" has no column email"}`:                             false,
	} {
		if got := traced([]byte(body)); got != want {
			t.Errorf("%q: got %v, want %v", body, got, want)
		}
	}
}
