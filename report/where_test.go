package report

import "testing"

func TestWhereTheSystemCameFrom(t *testing.T) {
	for want, s := range map[string]Stack{
		"deployment at https://staging.example.org": {Kind: "url", URL: "https://staging.example.org"},
		"embedded stack at http://127.0.0.1:8000":   {Kind: "embedded", URL: "http://127.0.0.1:8000"},
	} {
		if got := where(s); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
