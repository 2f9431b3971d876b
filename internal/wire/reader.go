package wire

import (
	"bytes"
	"io"
)

// The read buffer grows from minBuffer for a long head, and to maxBuffer for a
// long body, so that neither costs a read per 4 KiB.
const (
	minBuffer = 4 << 10
	maxBuffer = 64 << 10
)

// protocolError says in what way an answer is not HTTP/1.1.
type protocolError string

func (e protocolError) Error() string { return "protocol: " + string(e) }

// reader takes answers off a byte stream, one after the other.
type reader struct {
	src     io.Reader
	buf     []byte
	r, w    int // unread bytes are buf[r:w]
	budget  int // bytes that lines may still take
	stage   stage
	trailer []byte
}

// stage is how far an exchange has come; it names the timeout that strikes.
type stage uint8

const (
	connecting stage = iota
	writing
	waiting // for the first byte
	reading // the head
	inBody
)

// answer reads one whole answer. again says whether the stream can carry another
// exchange: nothing is left over, and neither side said it would close.
func (r *reader) answer(c *Call) (again bool, err error) {
	r.stage = waiting
	f, err := r.head(c)
	if err != nil {
		return false, err
	}
	r.stage = inBody
	if err := r.body(c, f); err != nil {
		return false, err
	}
	return !f.close && r.r == r.w, nil
}

// line is the next line of a head, without its end. It is valid until the next read.
func (r *reader) line() ([]byte, error) {
	line, err := r.rawLine()
	if err != nil {
		if r.stage == reading {
			err = cut(err)
		}
		return nil, err
	}
	line = line[:len(line)-1]
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	} else if r.stage == inBody {
		return nil, protocolError("trailer line does not end with CRLF")
	}
	return line, nil
}

// rawLine is the next line with its end.
func (r *reader) rawLine() ([]byte, error) {
	for seen := 0; ; {
		if i := bytes.IndexByte(r.buf[r.r+seen:r.w], '\n'); i >= 0 {
			line := r.buf[r.r : r.r+seen+i+1]
			if r.budget -= len(line); r.budget < 0 {
				return nil, protocolError("line or head too long")
			}
			r.r += len(line)
			return line, nil
		}
		if seen = r.w - r.r; seen > r.budget {
			return nil, protocolError("line or head too long")
		}
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
}

// fill reads once, behind what is not yet taken.
func (r *reader) fill() error {
	if r.r == r.w {
		r.r, r.w = 0, 0
	}
	if r.w == len(r.buf) {
		if r.r > 0 {
			r.w = copy(r.buf, r.buf[r.r:r.w])
			r.r = 0
		} else {
			r.grow(max(minBuffer, 2*len(r.buf)))
		}
	}
	n, err := r.src.Read(r.buf[r.w:])
	r.w += n
	if n > 0 {
		if r.stage == waiting {
			r.stage = reading
		}
		return nil
	}
	if err == nil {
		err = io.ErrNoProgress
	}
	return err
}

func (r *reader) grow(size int) {
	if size <= len(r.buf) {
		return
	}
	buf := make([]byte, size)
	r.w = copy(buf, r.buf[r.r:r.w])
	r.r, r.buf = 0, buf
}
