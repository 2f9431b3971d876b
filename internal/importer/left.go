package importer

import "fmt"

// tally is how many of what a capture has were left out, by what one of them is called.
type tally map[string]struct {
	n    int
	many string
}

func (t tally) add(n int, one, many string) {
	had := t[one]
	had.n, had.many = had.n+n, many
	t[one] = had
}

// numbered is a number of things in words.
func numbered(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// sayRefused says what became of the requests that were refused.
func (d *outline) sayRefused(silent, telling int) {
	if silent > 0 {
		d.say("left out: %s refused", numbered(silent, "request that was", "requests that were"))
	}
	switch telling {
	case 0:
	case 1:
		d.say("1 request that was refused is no part of the load; it tells how the API refuses")
	default:
		d.say("%d requests that were refused are no part of the load; they tell how the API refuses", telling)
	}
}

// mostEqual is how many equal requests in a row are sent as they were: more of them wait
// for something, or are a loop.
const mostEqual = 5

// once leaves one of more than mostEqual equal requests in a row, which takes as long as
// all did, and says how many it took out.
func once(all []exchange) (kept []exchange, again int) {
	for i := 0; i < len(all); {
		n := 1
		for i+n < len(all) && all[i].equal(all[i+n]) {
			n++
		}
		if n <= mostEqual {
			kept = append(kept, all[i:i+n]...)
		} else {
			x, last := all[i], all[i+n-1]
			if !x.began.IsZero() && !last.began.IsZero() {
				x.took = last.began.Add(last.took).Sub(x.began)
			}
			kept, again = append(kept, x), again+n-1
		}
		i += n
	}
	return kept, again
}

// equal tells whether two requests ask for the same, and were answered alike.
func (x exchange) equal(o exchange) bool {
	return x.method == o.method && x.url.String() == o.url.String() && x.status == o.status && x.signed == o.signed && x.sends("cookie") == o.sends("cookie") && x.text == o.text && flow(x.body) == flow(o.body)
}
