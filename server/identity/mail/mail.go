// Package mail sends the few messages that accounts need. Where they go is the
// operator's choice: nowhere, the log or a directory on a developer's machine,
// or an SMTP server. Queueing and retries are its caller's.
package mail

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
)

// Message is a plain-text message to one address.
type Message struct {
	To      string
	Subject string
	Text    string
}

// Sink takes messages to where they go.
type Sink interface {
	// Send returns nil once the message is no longer ours to lose.
	Send(ctx context.Context, m Message) error
}

// Open reads a MAIL_SINK: "none" or "", "log", "dir:PATH", or a URL
// smtp://[user:password@]host[:port]?from=ADDRESS (STARTTLS, required unless the
// host is loopback) or smtps:// (TLS from the first byte). Errors do not repeat
// the value, which may hold a password.
func Open(sink string, log *slog.Logger) (Sink, error) {
	path, isDir := strings.CutPrefix(sink, "dir:")
	switch {
	case sink == "" || sink == "none":
		return nowhere{}, nil
	case sink == "log" && log != nil:
		return logged{log}, nil
	case isDir && path != "":
		return newDir(path)
	case strings.HasPrefix(sink, "smtp://"), strings.HasPrefix(sink, "smtps://"):
		return newSMTP(sink)
	}
	return nil, fmt.Errorf("open mail sink: want none, log, dir:PATH or an smtp or smtps URL")
}

type nowhere struct{}

func (nowhere) Send(context.Context, Message) error { return nil }

// logged is for developers, who read the link in the log; a production
// configuration refuses it.
type logged struct{ log *slog.Logger }

func (l logged) Send(ctx context.Context, m Message) error {
	l.log.InfoContext(ctx, "mail", "to", m.To, "subject", m.Subject, "text", m.Text)
	return nil
}

// render is the message as RFC 5322 text with CRLF line ends. Addresses and
// subjects with a line break are refused: they would add headers.
func render(m Message, from, date, id string) ([]byte, error) {
	for _, v := range []string{m.To, m.Subject, from} {
		if strings.ContainsAny(v, "\r\n") {
			return nil, fmt.Errorf("render mail: line break in a header")
		}
	}
	text := strings.ReplaceAll(strings.ReplaceAll(m.Text, "\r\n", "\n"), "\n", "\r\n")
	return fmt.Appendf(nil, "From: %s\r\nTo: %s\r\nSubject: %s\r\nDate: %s\r\nMessage-ID: <%s>\r\n"+
		"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"+
		"Auto-Submitted: auto-generated\r\n\r\n%s\r\n",
		from, m.To, m.Subject, date, id, text), nil
}
