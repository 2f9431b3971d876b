package mail_test

import (
	"bufio"
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vitals/server/identity/mail"
)

var message = mail.Message{To: "ann@example.org", Subject: "Hello", Text: "first line\n.\nlast line"}

func TestOpenRefuses(t *testing.T) {
	for _, sink := range []string{"pigeon", "dir:", "smtp://", "smtp://:587", "smtp://host?from=hunter2", "smtp://user:hunter2@ho st"} {
		if _, err := mail.Open(sink, nil); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v, want an error that keeps the password", sink, err)
		}
	}
}

func TestNowhereAndLog(t *testing.T) {
	var out bytes.Buffer
	for sink, want := range map[string]bool{"none": false, "": false, "log": true} {
		out.Reset()
		s, err := mail.Open(sink, slog.New(slog.NewTextHandler(&out, nil)))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Send(t.Context(), message); err != nil {
			t.Errorf("%q: %v", sink, err)
		}
		if got := strings.Contains(out.String(), "last line"); got != want {
			t.Errorf("%q: logged %v, want %v", sink, got, want)
		}
	}
}

func TestDir(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail")
	s, err := mail.Open("dir:"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), mail.Message{To: "a@b.c\r\nBcc: d@e.f"}); err == nil {
		t.Error("an address with a line break was sent")
	}
	files, err := filepath.Glob(path + "/*.eml")
	if err != nil || len(files) != 1 {
		t.Fatalf("got %v, %v, want one file", files, err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil || !strings.Contains(string(text), "\r\n\r\nfirst line\r\n.\r\nlast line\r\n") {
		t.Errorf("got %q, %v", text, err)
	}
}

// A relay of a few lines, without TLS: allowed on loopback only.
func TestSMTP(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 1)
	go func() {
		defer close(got)
		conn, err := ln.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		got <- converse(conn)
	}()
	t.Cleanup(func() { _ = ln.Close() })
	s, err := mail.Open("smtp://"+ln.Addr().String()+"?from=clinic@example.org", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), message); err != nil {
		t.Fatal(err)
	}
	text := <-got
	for _, want := range []string{"MAIL FROM:<clinic@example.org>", "RCPT TO:<ann@example.org>", "Subject: Hello", "first line\r\n..\r\nlast line"} {
		if !strings.Contains(text, want) {
			t.Errorf("got %q, want %q in it", text, want)
		}
	}
}

func converse(conn net.Conn) string {
	var heard strings.Builder
	r := bufio.NewReader(conn)
	fmt.Fprint(conn, "220 ready\r\n")
	for data := false; ; {
		line, err := r.ReadString('\n')
		if err != nil {
			return heard.String()
		}
		heard.WriteString(line)
		switch {
		case data && line == ".\r\n":
			data = false
			fmt.Fprint(conn, "250 kept\r\n")
		case data:
		case strings.HasPrefix(line, "DATA"):
			data = true
			fmt.Fprint(conn, "354 go on\r\n")
		case strings.HasPrefix(line, "QUIT"):
			fmt.Fprint(conn, "221 bye\r\n")
			return heard.String()
		default:
			fmt.Fprint(conn, "250 fine\r\n")
		}
	}
}
