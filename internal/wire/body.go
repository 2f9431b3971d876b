package wire

import (
	"bytes"
	"io"
)

// maxChunkLine and maxExcess bound what a chunked body may carry besides data,
// as in net/http: a sender of one byte per chunk is allowed, a sender of endless
// extensions is not.
const (
	maxChunkLine = 4096
	maxExcess    = 16 << 10
)

// body reads the body that f frames, keeps the first c.Keep bytes and counts all.
func (r *reader) body(c *Call, f framing) error {
	switch {
	case f.chunked:
		return r.chunks(c)
	case f.length >= 0:
		return r.take(c, f.length)
	}
	for {
		if err := r.take(c, int64(r.w-r.r)); err != nil {
			return err
		}
		if err := r.fill(); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// take reads exactly n bytes of body.
func (r *reader) take(c *Call, n int64) error {
	for n > 0 {
		if r.r == r.w {
			if n > int64(len(r.buf)) {
				r.grow(maxBuffer)
			}
			if err := r.fill(); err != nil {
				return cut(err)
			}
		}
		part := r.buf[r.r:r.w]
		if int64(len(part)) > n {
			part = part[:n]
		}
		if room := c.Keep - len(c.Answer); room > 0 {
			c.Answer = append(c.Answer, part[:min(room, len(part))]...)
		}
		r.r += len(part)
		c.Bytes += int64(len(part))
		n -= int64(len(part))
	}
	return nil
}

// chunks reads a chunked body and its trailers.
func (r *reader) chunks(c *Call) error {
	excess := int64(0)
	for {
		r.budget = maxChunkLine
		line, err := r.rawLine()
		if err != nil {
			return cut(err)
		}
		size, err := chunkSize(line)
		if err != nil {
			return err
		}
		if excess = max(0, excess+int64(len(line))-16-2*size); excess > maxExcess {
			return protocolError("more chunk extensions than data")
		}
		if size == 0 {
			break
		}
		if err := r.take(c, size); err != nil {
			return err
		}
		r.budget = 2
		if line, err := r.rawLine(); err != nil {
			return cut(err)
		} else if len(line) != 2 || line[0] != '\r' {
			return protocolError("chunk longer than its size")
		}
	}
	r.budget = maxHead
	var err error
	r.trailer, err = r.fields(r.trailer[:0])
	return cut(err)
}

// chunkSize reads "1a;extension\r\n". A bare LF or a CR inside the line is how
// chunked requests are smuggled, so neither passes.
func chunkSize(line []byte) (int64, error) {
	if cr := bytes.IndexByte(line, '\r'); cr < 0 || cr != len(line)-2 {
		return 0, protocolError("chunk line does not end with CRLF")
	}
	line = line[:len(line)-2]
	if semi := bytes.IndexByte(line, ';'); semi >= 0 {
		line = line[:semi]
	}
	line = bytes.TrimRight(line, " \t")
	if len(line) == 0 || len(line) > 15 {
		return 0, protocolError("chunk size is missing or too large")
	}
	var n int64
	for _, d := range line {
		switch d = lower(d); {
		case '0' <= d && d <= '9':
			n = n<<4 | int64(d-'0')
		case 'a' <= d && d <= 'f':
			n = n<<4 | int64(d-'a'+10)
		default:
			return 0, protocolError("chunk size is not hexadecimal")
		}
	}
	return n, nil
}

// cut says that the end came before it was due.
func cut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
