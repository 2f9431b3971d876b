package null_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"vitals/internal/load/null"
)

func TestServer(t *testing.T) {
	s, err := null.Listen()
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{}
	client := &http.Client{Transport: tr}
	get := func() time.Duration {
		began := time.Now()
		res, err := client.Get("http://" + s.Addr())
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(res.Body)
		if err != nil || !strings.HasSuffix(null.Answer, string(body)) || len(body) != 185 {
			t.Errorf("got %q (%v), want the answer's 185 bytes", body, err)
		}
		_ = res.Body.Close()
		return time.Since(began)
	}
	get()
	thaw := make(chan struct{})
	go func() {
		defer close(thaw)
		s.Freeze(t.Context(), 200*time.Millisecond)
	}()
	time.Sleep(50 * time.Millisecond)
	if took := get(); took < 100*time.Millisecond {
		t.Errorf("got an answer after %s, want it held back by the freeze", took)
	}
	<-thaw
	if answers, conns := s.Served(); answers != 2 || conns != 1 {
		t.Errorf("got %d answers over %d connections, want 2 over 1", answers, conns)
	}
	tr.CloseIdleConnections()
	s.Close()
}
