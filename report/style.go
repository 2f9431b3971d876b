package report

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Style is how text is set. The zero value is plain text for 100 columns.
type Style struct {
	Color bool
	Width int // columns; 0 = 100
}

// StyleOf looks at where text goes: colour and the window's width for a
// terminal, plain text otherwise. NO_COLOR and TERM=dumb, read by getenv, turn
// colour off.
func StyleOf(w io.Writer, getenv func(string) string) Style {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return Style{}
	}
	s := Style{Color: getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"}
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		s.Width = width
	}
	return s
}

// width is the columns to fill: lines longer than 120 are hard to read.
func (s Style) width() int {
	if s.Width == 0 {
		return 100
	}
	return min(max(s.Width, 60), 120)
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
	if !s.Color || text == "" {
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
