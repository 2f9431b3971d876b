package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/url"
	"os"
	"syscall"

	"vitals/internal/measure"
)

// classify names err, which struck at the given stage. The order
// matters: our own trouble first, so that it is never blamed on the server.
func classify(err error, at stage, reused bool) measure.Class {
	var (
		timeout interface{ Timeout() bool }
		dns     *net.DNSError
		proto   protocolError
	)
	switch {
	case err == nil:
		return measure.None
	case errors.Is(err, context.Canceled), errors.Is(err, net.ErrClosed):
		return measure.Cancelled
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return measure.FDLimit
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EADDRINUSE):
		return measure.NoPorts
	case errors.As(err, &proto):
		return measure.Protocol
	case errors.As(err, &dns) && !dns.IsTimeout:
		return measure.DNS
	case isTLS(err):
		return measure.TLS
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded),
		errors.As(err, &timeout) && timeout.Timeout():
		return [...]measure.Class{
			connecting: measure.TimeoutConnect, writing: measure.TimeoutWrite, waiting: measure.TimeoutAnswer,
			reading: measure.TimeoutAnswer, inBody: measure.TimeoutBody,
		}[at]
	case at == connecting:
		return measure.Connect
	case at == inBody:
		return measure.Body
	case at == reading && errors.Is(err, io.ErrUnexpectedEOF):
		return measure.Protocol // a head that stops in the middle
	case reused:
		return measure.ResetReused
	}
	return measure.ResetNew
}

func isTLS(err error) bool {
	var (
		record tls.RecordHeaderError
		alert  tls.AlertError
		verify *tls.CertificateVerificationError
		host   x509.HostnameError
		issuer x509.UnknownAuthorityError
	)
	return errors.As(err, &record) || errors.As(err, &alert) || errors.As(err, &verify) ||
		errors.As(err, &host) || errors.As(err, &issuer)
}

// Plain is trouble on the wire in words, without the URL that net/http puts in front and
// without the addresses of a connection's two ends: ours changes with every connection,
// and equal troubles could not be told as one.
func Plain(err error) string {
	var (
		asked *url.Error
		lost  *net.OpError
	)
	if errors.As(err, &asked) {
		err = asked.Err
	}
	if errors.As(err, &lost) && (lost.Op == "read" || lost.Op == "write") {
		err = lost.Err
	}
	return err.Error()
}
