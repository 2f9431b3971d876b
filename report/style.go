package report

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Style is how text is set. The zero value is plain text for 100 columns.
type Style struct {
	Color  bool
	Redraw bool // what was written can be written over: a terminal that moves its cursor
	Width  int  // columns; 0 = 100
	Height int  // lines of the terminal; 0 = unknown
}

// StyleOf looks at where text goes: colour and the window's size for a
// terminal, plain text otherwise. NO_COLOR, read by getenv, turns colour off;
// TERM=dumb turns redrawing off as well.
func StyleOf(w io.Writer, getenv func(string) string) Style {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return Style{}
	}
	dumb := getenv("TERM") == "dumb"
	s := Style{Color: !dumb && getenv("NO_COLOR") == "", Redraw: !dumb}
	if width, height, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		s.Width, s.Height = width, height
	}
	return s
}

// width is the columns to fill: lines longer than 120 are hard to read, and in
// fewer than 20 there is nothing to set.
func (s Style) width() int {
	if s.Width == 0 {
		return 100
	}
	return min(max(s.Width, 20), 120)
}

// color is an SGR parameter.
type color string

const (
	bold   color = "1"
	dim    color = "2"
	red    color = "31"
	green  color = "32"
	yellow color = "33"
)

func (s Style) paint(c color, text string) string {
	if !s.Color || c == "" || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

// verdict paints a verdict by what it says.
func (s Style) verdict(v string) string {
	switch v {
	case Pass:
		return s.paint(green, v)
	case Fail:
		return s.paint(red, v)
	}
	return s.paint(yellow, strip(v))
}
