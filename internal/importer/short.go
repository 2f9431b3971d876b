package importer

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"
)

// toldID is an id that is too short to be recognised by itself, or was sent as something else
// before it was told: it is filled in only where a request sends an id.
type toldID struct {
	at   int // the exchange that told it
	from origin
	of   string // what it is the id of
}

// spot is where a request sends a value.
type spot struct {
	key  string // the parameter or field; "" = a segment of the path, or a header
	of   string // the segment before it, or what the path is about
	path bool
}

// idWords are the last words of names of ids. The bare ones say nothing else where they stand
// alone; a number, say, may be that of a page.
var idWords = map[string]bool{"id": true, "uuid": true, "guid": true, "ref": true, "slug": true, "key": true, "number": false, "code": false, "no": false, "sku": false, "handle": false}

// notIDs are segments and names before what is counted, not looked up.
var notIDs = []string{"page", "limit", "offset", "size", "step", "version", "year", "month", "week", "day", "hour", "minute", "level", "top", "last", "next", "count", "first", "skip", "per", "start", "depth"}

// idName takes a name of an id apart: what it is the id of, "" where it does not say, and its
// last word.
func idName(name string) (of, word string, ok bool) {
	words := lower(name)
	if len(words) == 0 {
		return "", "", false
	}
	word = words[len(words)-1]
	if _, ok = idWords[word]; !ok {
		word = singular(word)
		_, ok = idWords[word]
	}
	if len(words) > 1 {
		of = singular(words[len(words)-2])
	}
	return of, word, ok && !slices.Contains(notIDs, of)
}

// isID tells whether a name is one of ids alone.
func isID(name string) bool {
	_, word, ok := idName(name)
	return ok && idWords[word]
}

// thing is what a segment or a field is about: "purchase-orders" → order.
func thing(name string) string {
	words := lower(name)
	if len(words) == 0 {
		return ""
	}
	return singular(words[len(words)-1])
}

// isShortID tells whether an answer's value is an id that is short: a text that distinct does not
// take, or a number that may be anything.
func isShortID(key string, v any) (string, bool) {
	text := ""
	switch v := v.(type) {
	case string:
		text = v
	case json.Number:
		text = v.String()
	}
	_, _, ok := idName(key)
	if text == "" || text == "0" || len(text) >= 8 || strings.ContainsAny(text, " \t\r\n/") || version.MatchString(text) {
		return "", false
	}
	return text, ok
}

// learnShort notes a short id that an answer told, once for each thing.
func (c *correlation) learnShort(v, key, from string) {
	at := len(c.told)
	of, _, _ := idName(key)
	holders := strings.Split(strings.TrimPrefix(from, "json:"), ".")
	for n := len(holders) - 2; n >= 0 && of == ""; n-- {
		if !slices.Contains([]string{"0", "data", "items", "results", "record"}, holders[n]) {
			of = thing(holders[n])
		}
	}
	switch _, own := c.own[from]; {
	case at == c.signIn && (own || of == ""):
		of = "user"
	case of == "":
		of = thing(noun(kindOf(c.steps[at].path)))
	}
	if c.d.kind == "Postman" && c.sent[v+"\x00"+of] {
		c.late(v, of, at)
	}
	if c.sent[v+"\x00"+of] || slices.ContainsFunc(c.short[v], func(t toldID) bool { return t.of == of }) {
		return
	}
	c.short[v] = append(c.short[v], toldID{at, origin{from, key}, of})
}

// late marks the steps of a collection that ask for an object before the one that creates it: its
// order is not that in which anybody sent its requests.
func (c *correlation) late(v, of string, at int) {
	made := c.steps[at]
	if made.method != "POST" || thing(noun(kindOf(made.path))) != of || slices.Contains(segments(made.path), v) {
		return
	}
	for i := range c.steps[:at] {
		if s := &c.steps[i]; slices.Contains(segments(s.path), v) {
			s.decide = append(s.decide, "which object it asks for: the answer to "+made.name+" tells "+v+", and comes later, so that it is the same one each time")
		}
	}
}

// shortAt finds the short id that a request sends at a spot. sure is false where nothing but
// the value speaks for it.
func (c *correlation) shortAt(v string, at spot) (found toldID, sure, ok bool) {
	of, word := thing(at.of), ""
	switch {
	case at.path:
		ok = !slices.Contains(notIDs, of)
	case at.key != "":
		var named string
		if named, word, ok = idName(at.key); named != "" {
			of = named
		}
		if !ok { // as order=77
			of = thing(at.key)
		}
	}
	if slices.Contains([]string{"account", "member", "profile", "person"}, of) && !slices.ContainsFunc(c.short[v], func(t toldID) bool { return t.of == of }) {
		of = "user"
	}
	if slices.Contains(notIDs, of) {
		return found, false, false
	}
	bare := at.path || idWords[word]
	for _, t := range c.short[v] {
		_, own, _ := idName(t.from.key)
		if t.of == of && of != "" && (!ok || bare || own == word) || at.key != "" && plain(at.key) == plain(t.from.key) && (t.of == of || len(c.short[v]) == 1) {
			return t, true, true
		}
	}
	if at.path && ok || at.key != "" {
		c.sent[v+"\x00"+of] = true
	}
	if !ok || !bare || len(c.short[v]) != 1 || v == "1" {
		return found, false, false
	}
	return c.short[v][0], false, true
}

// filled is what to send instead of a value at a spot, as value is; short ids among it.
func (c *correlation) filled(v string, at spot, s *step) (string, bool) {
	if p, ok := c.value(v); ok {
		return p, true
	}
	return c.shortID(v, at, s)
}

// shortID is what to send instead of a short id.
func (c *correlation) shortID(v string, at spot, s *step) (string, bool) {
	t, sure, ok := c.shortAt(v, at)
	if !ok {
		return "", false
	}
	if !sure {
		s.decide = append(s.decide, "whether "+v+" is the "+t.from.key+" that the answer to "+c.steps[t.at].name+" told: it may be by chance")
	}
	p := c.saveAs(v+"\x00"+t.of, t.at, t.from)
	if _, word, _ := idName(t.from.key); !idWords[word] {
		c.d.codes[p] = v
		c.d.codes[unquoted+p] = json.Number(v) // stands there where a number was sent
	}
	return p, true
}

// about is what the path of an address is about.
func about(u *url.URL) string { return noun(kindOf(u.Path)) }
