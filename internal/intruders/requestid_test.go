package intruders

import (
	"net/http"
	"testing"

	"vitals/internal/wire"
)

// A server may make the ID of a request from what opens a session.
func TestRequestIDsHoldNoSecrets(t *testing.T) {
	ans := wire.Answer{Header: http.Header{"X-Request-Id": {"r-1-session-1-password-1"}, "Set-Cookie": {"lang=en", "sess=session-1; Path=/"}}}
	if got := requestID(ans, "password-1"); got != "r-1-[redacted]-[redacted]" {
		t.Errorf("got %q", got)
	}
}
