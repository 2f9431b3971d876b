package containers_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"testing"
	"time"

	"vitals/internal/stack"
)

func pid() string { return strconv.Itoa(os.Getpid()) }

// login signs the first account in from an address, as a trusted proxy forwards it.
func login(t *testing.T, s *stack.Stack, from netip.Addr, password string) int {
	t.Helper()
	body, _ := json.Marshal(map[string]string{"email": s.Accounts[0].Email, "password": password})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL.JoinPath("api/v1/auth/login").String(), bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Forwarded-For", from.String())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}

func eventually(t *testing.T, patience time.Duration, f func() bool) {
	t.Helper()
	end := time.Now().Add(patience)
	for !f() {
		if time.Now().After(end) {
			t.Fatalf("not within %v", patience)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
