package wire

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"time"

	"vitals/internal/measure"
)

// Std sends calls by net/http: for HTTP/2 and proxies, at about three times the
// cost of Raw. It is held to the same promises: one attempt, no redirects, no
// cookies, no decompression.
type Std struct {
	base   *url.URL
	proxy  func(*http.Request) (*url.URL, error)
	secure *tls.Config
	dial   dialer
	rest   time.Duration   // that a connection may lie idle and be used again; 0 = any
	ctx    context.Context // ended by Close
	cancel context.CancelFunc

	mu     sync.Mutex
	origin time.Time
	from   map[netip.Addr]*http.Transport
}

// NewStd makes a client for the server at base; proxy may be nil.
func NewStd(base *url.URL, hostport string, secure *tls.Config, proxy func(*http.Request) (*url.URL, error)) *Std {
	ctx, cancel := context.WithCancel(context.Background())
	return &Std{
		base: base, proxy: proxy, secure: secure, dial: dialer{hostport: hostport},
		ctx: ctx, cancel: cancel, origin: time.Now(), from: map[netip.Addr]*http.Transport{},
	}
}

// Start implements Doer.
func (t *Std) Start(origin time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.origin = origin
}

// Close implements Doer.
func (t *Std) Close() {
	t.cancel()
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, tr := range t.from {
		tr.CloseIdleConnections()
	}
}

// transport is the one for a source address: a connection has one, so pools must
// not be shared.
func (t *Std) transport(from netip.Addr) *http.Transport {
	t.mu.Lock()
	defer t.mu.Unlock()
	tr := t.from[from]
	if tr == nil {
		tr = &http.Transport{
			Proxy: t.proxy, TLSClientConfig: t.secure, ForceAttemptHTTP2: t.secure != nil,
			DisableCompression: true, MaxIdleConnsPerHost: 1 << 16, MaxResponseHeaderBytes: maxHead, IdleConnTimeout: t.rest,
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				if t.proxy == nil {
					return t.dial.connect(ctx, from)
				}
				nd := net.Dialer{KeepAlive: -1, Control: control}
				if from.IsValid() {
					nd.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
				}
				return nd.DialContext(ctx, network, addr)
			},
		}
		t.from[from] = tr
	}
	return tr
}

// Do implements Doer.
func (t *Std) Do(ctx context.Context, c *Call) {
	c.reset()
	c.Began = time.Since(t.origin)
	p := &progress{}
	err := t.exchange(ctx, c, p)
	var at stage
	at, c.Reused = p.end()
	c.Done = time.Since(t.origin)
	if err != nil {
		if t.ctx.Err() != nil {
			err = context.Canceled
		}
		c.Err, c.Class = err, classifyStd(err, at, c.Reused)
	}
}

// progress is how far an exchange has come, as the transport's goroutines report
// it. Some report when the exchange has long been given up: they reach this, and no
// longer the call, which may be at its next exchange.
type progress struct {
	mu     sync.Mutex
	at     stage
	reused bool
}

func (p *progress) step(s stage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.at = max(p.at, s)
}

func (p *progress) connected(reused bool) {
	p.step(writing)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reused = reused
}

func (p *progress) end() (at stage, reused bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at, p.reused
}

func (t *Std) exchange(ctx context.Context, c *Call, p *progress) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(t.ctx)
	if c.Timeout > 0 {
		ctx, cancel = context.WithTimeout(t.ctx, c.Timeout)
	}
	defer cancel()
	informational := 0
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn: func(i httptrace.GotConnInfo) { p.connected(i.Reused) },
		Got1xxResponse: func(int, textproto.MIMEHeader) error {
			if informational++; informational > maxInformational {
				return protocolError("too many 1xx answers")
			}
			return nil
		},
		WroteRequest: func(i httptrace.WroteRequestInfo) {
			if i.Err == nil {
				p.step(waiting)
			}
		},
		GotFirstResponseByte: func() { p.step(reading) },
	})
	req, err := t.request(ctx, c)
	if err != nil {
		return err
	}
	res, err := t.transport(c.From).RoundTrip(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusSwitchingProtocols {
		return protocolError("101 switching protocols, which nobody asked for")
	}
	p.step(inBody)
	c.Code = res.StatusCode
	for name, values := range res.Header {
		for _, v := range values {
			c.Head = append(append(append(append(c.Head, name...), ": "...), v...), '\r', '\n')
		}
	}
	return c.drain(res.Body)
}

// drain reads the body to its end and keeps the first Keep bytes.
func (c *Call) drain(body io.Reader) error {
	if c.Keep > 0 {
		b, err := io.ReadAll(io.LimitReader(body, int64(c.Keep)))
		c.Answer = append(c.Answer, b...)
		c.Bytes = int64(len(b))
		if err != nil {
			return err
		}
	}
	n, err := io.Copy(io.Discard, body)
	c.Bytes += n
	return err
}

func (t *Std) request(ctx context.Context, c *Call) (*http.Request, error) {
	u := *t.base
	path, query, _ := strings.Cut(string(c.Path), "?")
	var err error
	u.Path, err = url.PathUnescape(path)
	u.RawPath, u.RawQuery = path, query
	if err != nil { // not a path for net/http; what is asked for is sent as written all the same
		if t.proxy != nil && t.secure == nil || strings.HasPrefix(path, "//") {
			return nil, protocolError(fmt.Sprintf("net/http cannot ask for %q: %v", path, err))
		}
		u.Path, u.RawPath, u.RawQuery, u.Opaque = "", "", "", string(c.Path)
	}
	req := &http.Request{
		Method: c.Method, URL: &u, Host: c.Host, Header: http.Header{"User-Agent": {""}},
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody,
	}
	// A body that cannot be read twice is what keeps net/http from sending a
	// request again on its own. Without one, POST must have none, or
	// it would be sent chunked.
	if len(c.Body) > 0 || c.Method != http.MethodPost && c.Method != http.MethodPut && c.Method != http.MethodPatch {
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(c.Body)), int64(len(c.Body))
	}
	for line := range bytes.SplitSeq(c.Lines, []byte("\r\n")) {
		if name, value, ok := bytes.Cut(line, []byte(": ")); ok {
			key := http.CanonicalHeaderKey(string(name))
			switch key {
			case "User-Agent":
				req.Header.Del(key)
			case "Idempotency-Key", "X-Idempotency-Key":
				key = strings.ToLower(key) // or net/http takes it as leave to retry
			}
			req.Header[key] = append(req.Header[key], string(value))
		}
	}
	return req.WithContext(ctx), nil
}

// classifyStd looks at what net/http has only as text, and then as Raw does.
func classifyStd(err error, at stage, reused bool) measure.Class {
	class := classify(err, at, reused)
	switch class {
	case measure.ResetNew, measure.ResetReused, measure.Connect:
		for _, text := range protocolTexts {
			if strings.Contains(err.Error(), text) {
				return measure.Protocol
			}
		}
	case measure.Body:
		var lost *net.OpError
		if !errors.As(err, &lost) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return measure.Protocol // all of the answer is there, and it is wrong
		}
	}
	return class
}

// protocolTexts are how net/http words an answer that is not HTTP.
var protocolTexts = []string{
	"malformed HTTP", "malformed MIME", "unsupported transfer encoding", "too many transfer encodings",
	"Content-Length", "server response headers exceeded", "message too large",
}
