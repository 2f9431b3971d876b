package wire

import (
	"bytes"
	"io"
)

// The bounds of an answer's head. net/http is held to the same size.
const (
	maxHead          = 1 << 20
	maxInformational = 5 // 1xx answers before the final one, as in net/http
)

// framing is how the body of an answer ends.
type framing struct {
	length  int64 // bytes; -1 = until the connection closes
	chunked bool
	close   bool // the connection carries nothing after this answer
}

// head reads status lines and header lines up to the final answer's empty line.
func (r *reader) head(c *Call) (framing, error) {
	for informational := 0; ; informational++ {
		code, minor, err := r.status()
		if err != nil {
			return framing{}, err
		}
		c.Head = c.Head[:0]
		if c.Head, err = r.fields(c.Head); err != nil {
			return framing{}, err
		}
		switch {
		case code == 101:
			return framing{}, protocolError("101 switching protocols, which nobody asked for")
		case code >= 200:
			f, err := frame(c.Method, code, minor, c.Head)
			if err == nil {
				c.Code = code
			}
			return f, err
		case informational == maxInformational:
			return framing{}, protocolError("too many 1xx answers")
		}
	}
}

// status reads "HTTP/1.x NNN reason".
func (r *reader) status() (code, minor int, err error) {
	r.budget = maxHead
	line, err := r.line()
	if err != nil {
		return 0, 0, err
	}
	const version = "HTTP/1."
	if len(line) < len("HTTP/1.1 200") || string(line[:len(version)]) != version || line[8] != ' ' {
		return 0, 0, protocolError("malformed status line")
	}
	minor = int(line[7]) - '0'
	if minor != 0 && minor != 1 {
		return 0, 0, protocolError("unknown version of HTTP")
	}
	rest := bytes.TrimLeft(line[9:], " ")
	if len(rest) < 3 || len(rest) > 3 && rest[3] != ' ' {
		return 0, 0, protocolError("malformed status code")
	}
	for _, d := range rest[:3] {
		if d < '0' || d > '9' {
			return 0, 0, protocolError("malformed status code")
		}
		code = code*10 + int(d-'0')
	}
	if code < 100 {
		return 0, 0, protocolError("status code below 100")
	}
	return code, minor, nil
}

// fields reads header lines up to the empty one and appends them to dst, folded
// lines joined by one space, in the form "Name: value\r\n".
func (r *reader) fields(dst []byte) ([]byte, error) {
	start, at := len(dst), 0 // at: where the value at hand begins
	for {
		line, err := r.line()
		if err != nil {
			return dst, err
		}
		if len(line) == 0 {
			return dst, nil
		}
		if line[0] == ' ' || line[0] == '\t' {
			if len(dst) == start {
				return dst, protocolError("the first header line begins with a space")
			}
			if dst = dst[:len(dst)-2]; len(dst) > at {
				dst = append(dst, ' ')
			}
			if dst, err = value(dst, line); err != nil {
				return dst, err
			}
			continue
		}
		colon := bytes.IndexByte(line, ':')
		if colon <= 0 {
			return dst, protocolError("header line without a name")
		}
		for _, c := range line[:colon] {
			if !token[c] {
				return dst, protocolError("malformed header name")
			}
		}
		dst = append(dst, line[:colon]...)
		dst = append(dst, ": "...)
		at = len(dst)
		if dst, err = value(dst, line[colon+1:]); err != nil {
			return dst, err
		}
	}
}

// value appends a header value without the space around it, and CRLF.
func value(dst, v []byte) ([]byte, error) {
	v = bytes.Trim(v, " \t")
	for _, c := range v {
		if c < ' ' && c != '\t' || c == 0x7f {
			return dst, protocolError("control character in a header value")
		}
	}
	dst = append(dst, v...)
	return append(dst, '\r', '\n'), nil
}

// frame decides from the head how the body ends (RFC 9112, 6.3). What two
// readers might frame differently is refused, as net/http does.
func frame(method string, code, minor int, head []byte) (framing, error) {
	f := framing{length: -1}
	keepAlive, encodings := false, 0
	for len(head) > 0 {
		end := bytes.IndexByte(head, '\n')
		line := head[:end-1]
		head = head[end+1:]
		colon := bytes.IndexByte(line, ':')
		name, value := line[:colon], line[colon+2:]
		switch {
		case equalFold(name, "Content-Length"):
			n, err := number(value)
			if err != nil || f.length >= 0 && f.length != n {
				return f, protocolError("Content-Length is no number, or given twice")
			}
			f.length = n
		case equalFold(name, "Transfer-Encoding") && minor > 0:
			if encodings++; encodings > 1 || !equalFold(value, "chunked") {
				return f, protocolError("transfer encoding other than chunked")
			}
			f.chunked = true
		case equalFold(name, "Connection"):
			f.close = f.close || hasToken(value, "close")
			keepAlive = keepAlive || hasToken(value, "keep-alive")
		}
	}
	if minor == 0 && !keepAlive {
		f.close = true
	}
	switch {
	case method == "HEAD" || code == 204 || code == 304:
		f.length, f.chunked = 0, false
	case f.chunked:
		f.length = -1
	case f.length < 0:
		f.close = true
	}
	return f, nil
}

// number reads a Content-Length.
func number(b []byte) (int64, error) {
	if len(b) == 0 || len(b) > 18 {
		return 0, io.ErrUnexpectedEOF
	}
	var n int64
	for _, d := range b {
		if d < '0' || d > '9' {
			return 0, io.ErrUnexpectedEOF
		}
		n = n*10 + int64(d-'0')
	}
	return n, nil
}

// hasToken reports whether a comma-separated list holds a token.
func hasToken(list []byte, want string) bool {
	for len(list) > 0 {
		item := list
		if i := bytes.IndexByte(list, ','); i >= 0 {
			item, list = list[:i], list[i+1:]
		} else {
			list = nil
		}
		if equalFold(bytes.Trim(item, " \t"), want) {
			return true
		}
	}
	return false
}

// token are the bytes of a header name (RFC 9110, 5.6.2).
var token = func() (t [256]bool) {
	for c := '0'; c <= '9'; c++ {
		t[c] = true
	}
	for c := 'a'; c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = true, true
	}
	for _, c := range "!#$%&'*+-.^_`|~" {
		t[c] = true
	}
	return t
}()
