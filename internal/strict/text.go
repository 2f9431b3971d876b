package strict

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// Text says what keeps bytes from being text in UTF-8, with the place of the first
// that is none; nil when nothing does. What would be sent is not what was meant.
func Text(text []byte) *Error {
	const hint = "save it as UTF-8"
	if bytes.HasPrefix(text, []byte{0xff, 0xfe}) || bytes.HasPrefix(text, []byte{0xfe, 0xff}) || bytes.IndexByte(text[:min(len(text), 200)], 0) >= 0 {
		return &Error{Line: 1, Col: 1, Msg: "the file is in UTF-16, expected UTF-8", Hint: hint}
	}
	line := 1
	for len(text) > 0 {
		row, rest, _ := bytes.Cut(text, []byte("\n"))
		if !utf8.Valid(row) {
			col := 1
			for at := row; len(at) > 0; col++ {
				c, n := utf8.DecodeRune(at)
				if c == utf8.RuneError && n == 1 {
					return &Error{Line: line, Col: col, Msg: fmt.Sprintf("found the byte 0x%02x, which is no UTF-8: the file may be in Latin-1 or Windows-1252", at[0]), Hint: hint}
				}
				at = at[n:]
			}
		}
		text = rest
		line++
	}
	return nil
}
