package importer

import (
	"regexp"
	"slices"
	"strings"
)

// guess is what a call is for, as its own method, path and name tell.
func (c *call) guess() kind {
	path := trimmed(c.path)
	words := path + " " + c.id
	s := segments(c.path)
	last := ""
	if len(s) > 0 {
		last = s[len(s)-1]
	}
	switch c.method {
	case "GET", "HEAD":
		switch {
		case len(s) <= 4 && readyWords.MatchString(path):
			return isReady
		case len(s) <= 4 && liveWords.MatchString(path):
			return isLive
		case len(s) <= 3 && healthWords.MatchString(path):
			return isHealth
		case logoutWords.MatchString(words):
			return isLogout
		case meWords.MatchString(path), last == "{{user_id}}":
			return isMe
		case isParam(last):
			return isGet
		}
		if _, ok := listPlace(c.answer); ok {
			return isList
		}
		return isRead
	case "POST":
		switch {
		case refreshWords.MatchString(words):
			return isRefresh
		case logoutWords.MatchString(words):
			return isLogout
		case resetWords.MatchString(words) && confirmWords.MatchString(words):
			return isConfirm
		case resetWords.MatchString(words):
			return isReset
		case changeWords.MatchString(words):
			return isChange
		case registerWords.MatchString(words):
			return isRegister
		case c.aCollection():
			return isCreate
		}
		return isAction
	case "PUT", "PATCH":
		if isParam(last) && !strings.Contains(last, ":") {
			return isUpdate
		}
	case "DELETE":
		switch {
		case logoutWords.MatchString(words) || ownSession.MatchString(path):
			return isLogout
		case isParam(last):
			return isDelete
		}
	}
	return isAction
}

// aCollection tells whether what the call posts to is called like a collection. Behind an
// object's id only a plural is: any other word there, as in /drivers/{id}/disable, is what
// is done to the object. What is behind a colon is done as well: /drivers:purge.
func (c *call) aCollection() bool {
	s := segments(c.path)
	if len(s) == 0 || isParam(s[len(s)-1]) {
		return len(s) == 0
	}
	last := s[len(s)-1]
	if deed.MatchString(last) || strings.Contains(last, ":") {
		return false
	}
	return len(s) < 2 || !isParam(s[len(s)-2]) || singular(last) != last && !strings.HasSuffix(last, "us")
}

// settled is what a call that posts does, as far as the other calls tell: what can be
// listed, or has objects below it, is a collection; what cannot, and is sent nothing, or
// stands beside the objects of a collection, is done to something that is there already.
func (c *call) settled(calls []*call) kind {
	if c.method != "POST" || c.kind != isCreate && c.kind != isAction || c.other != "" {
		return c.kind
	}
	path := trimmed(c.path)
	holds := func(path string) bool {
		return slices.ContainsFunc(calls, func(o *call) bool {
			rest, below := strings.CutPrefix(trimmed(o.path), path+"/{")
			return trimmed(o.path) == path && o.kind == isList || below && !strings.ContainsAny(rest, "/:")
		})
	}
	s := segments(path)
	collection, _ := split(path)
	switch {
	case c.kind == isAction:
		if len(s) > 1 && isParam(s[len(s)-2]) && !isParam(s[len(s)-1]) && !deed.MatchString(s[len(s)-1]) && c.body != nil && holds(path) {
			return isCreate
		}
	case holds(path):
	case c.body == nil, len(s) > 1 && !isParam(s[len(s)-2]) && holds(collection):
		return isAction
	}
	return c.kind
}

var deed = regexp.MustCompile(`(?i)^(search|query|find|calculate|validate|verify|check|send|cancel|approve|reject|upload|import|export|login|logout|sync|run|start|stop|batch|bulk)`)
