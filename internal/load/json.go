package load

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// path is a way into a JSON document, compiled: "items.0.id", or "items.*.id" for
// one element of many.
type path []string

// anyElement stands for one element of an array, drawn anew each time.
const anyElement = "*"

func parsePath(s string) path { return strings.Split(s, ".") }

// find is the raw value at the path, and false when there is none. It reads the
// document once, from the left (an array twice to draw from it), without making
// anything: no tree, no garbage. What it does not step into it does not check.
// draw picks one of n elements.
func (p path) find(doc []byte, draw func(n int) int) ([]byte, bool) {
	s := scanner{doc: doc}
	for _, name := range p {
		s.space()
		switch s.peek() {
		case '{':
			if !s.member(name) {
				return nil, false
			}
		case '[':
			i, err := strconv.Atoi(name)
			if name == anyElement {
				n := s.count()
				if n == 0 {
					return nil, false
				}
				i, err = draw(n), nil
			}
			if err != nil || i < 0 || !s.element(i) {
				return nil, false
			}
		default:
			return nil, false
		}
	}
	s.space()
	from := s.at
	if !s.skip(0) {
		return nil, false
	}
	return doc[from:s.at], true
}

// first draws the first element: for paths that name their elements.
func first(int) int { return 0 }

// text appends the value as text: a string without its quotes and escapes,
// everything else as written.
func text(dst, raw []byte) []byte {
	if len(raw) < 2 || raw[0] != '"' {
		return append(dst, raw...)
	}
	if bytes.IndexByte(raw, '\\') < 0 {
		return append(dst, raw[1:len(raw)-1]...)
	}
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return append(dst, raw...)
	}
	return append(dst, s...)
}

// maxDepth bounds recursion on a hostile document.
const maxDepth = 200

type scanner struct {
	doc []byte
	at  int
}

func (s *scanner) peek() byte {
	if s.at < len(s.doc) {
		return s.doc[s.at]
	}
	return 0
}

func (s *scanner) space() {
	for s.at < len(s.doc) && (s.doc[s.at] == ' ' || s.doc[s.at] == '\n' || s.doc[s.at] == '\r' || s.doc[s.at] == '\t') {
		s.at++
	}
}

// take steps over c, with space around it.
func (s *scanner) take(c byte) bool {
	s.space()
	if s.peek() != c {
		return false
	}
	s.at++
	s.space()
	return true
}

// member steps to the value of the named member of the object at hand.
func (s *scanner) member(name string) bool {
	if !s.take('{') {
		return false
	}
	for {
		from := s.at
		if s.peek() != '"' || !s.skip(0) {
			return false
		}
		key := s.doc[from:s.at]
		if !s.take(':') {
			return false
		}
		if string(key[1:len(key)-1]) == name || bytes.IndexByte(key, '\\') >= 0 && string(text(nil, key)) == name {
			return true
		}
		if !s.skip(0) || !s.take(',') {
			return false
		}
	}
}

// element steps to the i-th element of the array at hand.
func (s *scanner) element(i int) bool {
	if !s.take('[') || s.peek() == ']' {
		return false
	}
	for ; i > 0; i-- {
		if !s.skip(0) || !s.take(',') {
			return false
		}
	}
	return true
}

// count is how many elements the array at hand has, which is not stepped into.
func (s *scanner) count() (n int) {
	at := s.at
	defer func() { s.at = at }()
	if !s.take('[') || s.peek() == ']' {
		return 0
	}
	for s.skip(0) {
		n++
		if !s.take(',') {
			break
		}
	}
	return n
}

// skip steps over one value.
func (s *scanner) skip(depth int) bool {
	if depth > maxDepth {
		return false
	}
	switch c := s.peek(); c {
	case '"':
		return s.str()
	case '{', '[':
		return s.group(c, depth)
	case 0, ',', ':', '}', ']':
		return false
	}
	for s.at < len(s.doc) {
		switch s.doc[s.at] {
		case ',', '}', ']', ' ', '\n', '\r', '\t':
			return true
		}
		s.at++
	}
	return true
}

func (s *scanner) str() bool {
	for s.at++; s.at < len(s.doc); s.at++ {
		switch s.doc[s.at] {
		case '\\':
			s.at++
		case '"':
			s.at++
			return true
		}
	}
	s.at = len(s.doc)
	return false
}

// group steps over an object or array.
func (s *scanner) group(open byte, depth int) bool {
	end := open + 2 // '{'+2 == '}', '['+2 == ']'
	s.at++
	s.space()
	if s.peek() == end {
		s.at++
		return true
	}
	for {
		if open == '{' {
			if s.peek() != '"' || !s.str() || !s.take(':') {
				return false
			}
		}
		if !s.skip(depth + 1) {
			return false
		}
		s.space()
		if s.peek() == end {
			s.at++
			return true
		}
		if !s.take(',') {
			return false
		}
	}
}
