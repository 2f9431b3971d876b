package wire

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/andybalholm/brotli"
)

// Unpack undoes an answer's Content-Encoding (gzip, deflate, br), so that whoever reads
// it sees what the server meant. It happens after the answer is complete and is in no
// time. At most 1 MiB comes of it, into spare where it fits; cut says that only the
// beginning of the answer is there. The error names an encoding that is unknown, or
// what is broken.
func Unpack(c *Call, spare []byte) (plain []byte, cut bool, err error) {
	cut = c.Bytes > int64(len(c.Answer))
	encodings, ok := c.Header("Content-Encoding")
	if !ok || len(c.Answer) == 0 {
		return c.Answer, cut, nil
	}
	var r io.Reader = bytes.NewReader(c.Answer)
	packed := false
	names := strings.Split(string(encodings), ",")
	for i := len(names) - 1; i >= 0; i-- { // the last was applied last (RFC 9110, 8.4)
		switch name := strings.ToLower(strings.TrimSpace(names[i])); name {
		case "", "identity":
			continue
		case "gzip", "x-gzip":
			r, err = gzip.NewReader(r)
		case "deflate":
			r, err = inflate(r)
		case "br":
			r = brotli.NewReader(r)
		default:
			return nil, cut, fmt.Errorf("Content-Encoding %s cannot be read: send Accept-Encoding without it", name)
		}
		if err != nil {
			return nil, cut, fmt.Errorf("Content-Encoding %s: %w", encodings, err)
		}
		packed = true
	}
	if !packed {
		return c.Answer, cut, nil
	}
	into := bytes.NewBuffer(spare[:0])
	n, err := io.Copy(into, io.LimitReader(r, maxAnswer+1))
	if n > maxAnswer {
		into.Truncate(maxAnswer)
		return into.Bytes(), true, nil
	}
	if err != nil && !(cut && errors.Is(err, io.ErrUnexpectedEOF)) {
		return nil, cut, fmt.Errorf("Content-Encoding %s: %w", encodings, err)
	}
	return into.Bytes(), cut, nil
}

// inflate reads deflate as the standard has it, in the zlib format, and as some
// servers send it, without.
func inflate(r io.Reader) (io.Reader, error) {
	b := bufio.NewReader(r)
	if head, err := b.Peek(2); err == nil && head[0]&0x0f == 8 && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
		return zlib.NewReader(b)
	}
	return flate.NewReader(b), nil
}
