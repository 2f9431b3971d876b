package importer

import (
	"net/http"
	"regexp"
	"slices"
)

// savedAnswer is an example of an answer that a collection has beside its request.
type savedAnswer struct {
	Name   string       `json:"name"`
	Code   int          `json:"code"`
	Body   string       `json:"body"`
	Header []postmanVar `json:"header"`
	Asked  struct {
		Auth *postmanAuth `json:"auth"`
	} `json:"originalRequest"`
}

var wrongPassword = regexp.MustCompile(`(?i)(wrong|invalid|incorrect|bad|false).*(password|credential|login)|(password|credential|login).*(wrong|invalid|incorrect|bad|false)`)

// answered gives a request its first good answer, and keeps the refusals that say for what:
// of a password, as 401, else by the name of the example, and of whoever shows no token.
func (r *postmanReader) answered(x *exchange, saved []savedAnswer) {
	_, password := credential(x.body)
	plainly := slices.ContainsFunc(saved, func(s savedAnswer) bool { return s.Code == http.StatusUnauthorized })
	for _, s := range saved {
		refusal := *x
		refusal.status = s.Code
		switch noToken := s.Asked.Auth != nil && s.Asked.Auth.Type == "noauth"; {
		case s.Code/100 == 2 && x.status == 0:
			x.answer, x.status = jsonValue(s.Body), s.Code
			for _, h := range s.Header {
				x.answerHeader = append(x.answerHeader, [2]string{h.name(), h.text()})
			}
		case password != "" && (s.Code == http.StatusUnauthorized || !plainly && slices.Contains([]int{400, 403, 422}, s.Code) && wrongPassword.MatchString(s.Name)):
			r.refused = append(r.refused, refusal)
		case password == "" && noToken && x.signed && (s.Code == http.StatusUnauthorized || s.Code == http.StatusForbidden):
			refusal.signed = false
			r.refused = append(r.refused, refusal)
		}
	}
}
