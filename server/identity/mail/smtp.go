package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/smtp"
	"net/url"
	"time"

	"github.com/google/uuid"
)

const smtpTimeout = 30 * time.Second // for one whole delivery

// relay hands messages to an SMTP server.
type relay struct {
	host     string
	port     string
	from     string
	auth     smtp.Auth // nil = none
	implicit bool      // TLS from the first byte
	loopback bool      // may do without TLS
	dial     func(ctx context.Context, network, address string) (net.Conn, error)
}

func newSMTP(raw string) (*relay, error) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("open mail sink: the SMTP URL does not parse")
	}
	r := &relay{
		host: u.Hostname(), port: u.Port(), from: u.Query().Get("from"),
		implicit: u.Scheme == "smtps", dial: (&net.Dialer{}).DialContext,
	}
	ip := net.ParseIP(r.host)
	r.loopback = r.host == "localhost" || ip != nil && ip.IsLoopback()
	if r.port == "" {
		r.port = map[bool]string{true: "465", false: "587"}[r.implicit]
	}
	if r.from == "" {
		r.from = "no-reply@" + r.host
	}
	if a, err := netmail.ParseAddress(r.from); err != nil || a.Address != r.from {
		return nil, errors.New("open mail sink: from is not an address")
	}
	if u.User != nil {
		word, _ := u.User.Password()
		r.auth = smtp.PlainAuth("", u.User.Username(), word, r.host)
	}
	return r, nil
}

func (r *relay) Send(ctx context.Context, m Message) error {
	if err := r.send(ctx, m); err != nil {
		return fmt.Errorf("send mail through %s: %w", r.host, err)
	}
	return nil
}

func (r *relay) send(ctx context.Context, m Message) error {
	text, err := render(m, r.from, time.Now().Format(time.RFC1123Z), uuid.NewString()+"@"+r.host)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, smtpTimeout)
	defer cancel()
	conn, err := r.dial(ctx, "tcp", net.JoinHostPort(r.host, r.port))
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	secure := &tls.Config{ServerName: r.host, MinVersion: tls.VersionTLS12}
	if r.implicit {
		conn = tls.Client(conn, secure)
	}
	c, err := smtp.NewClient(conn, r.host)
	if err != nil {
		_ = conn.Close()
		return err
	}
	defer func() { _ = c.Close() }()
	if !r.implicit {
		if ok, _ := c.Extension("STARTTLS"); ok {
			if err := c.StartTLS(secure); err != nil {
				return err
			}
		} else if !r.loopback {
			return errors.New("the server offers no STARTTLS")
		}
	}
	if r.auth != nil {
		if err := c.Auth(r.auth); err != nil {
			return err
		}
	}
	return deliver(c, r.from, m.To, text)
}

func deliver(c *smtp.Client, from, to string, text []byte) error {
	if err := c.Mail(from); err != nil {
		return err
	}
	if err := c.Rcpt(to); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return c.Quit()
}
