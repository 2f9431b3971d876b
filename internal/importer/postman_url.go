package importer

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// postmanURL is a request's address: a text, or taken apart. The text is for people; what
// is sent are the parts (Postman Collection Format 2.1, url).
type postmanURL struct {
	Raw       string        `json:"raw"`
	Protocol  string        `json:"protocol"`
	Host      postmanPart   `json:"host"`
	Port      any           `json:"port"` // a text, mostly
	Path      postmanPart   `json:"path"`
	Query     []*postmanVar `json:"query"`
	Variables []postmanVar  `json:"variable"`
}

// postmanPart is a text, or a list of texts and of objects with a value.
type postmanPart []string

func (p *postmanPart) UnmarshalJSON(text []byte) error {
	var whole string
	if json.Unmarshal(text, &whole) == nil {
		if *p = nil; whole != "" {
			*p = postmanPart{whole}
		}
		return nil
	}
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	for _, one := range list {
		var of struct {
			Value string `json:"value"`
		}
		if json.Unmarshal(one, &whole) != nil {
			if err := json.Unmarshal(one, &of); err != nil {
				return err
			}
			whole = of.Value
		}
		*p = append(*p, whole)
	}
	return nil
}

// address is the URL as a text, without the parameters that are switched off; "" = there is
// none.
func (u *postmanURL) address() string {
	text := u.Raw
	if text == "" {
		if text = strings.Join(u.Host, "."); u.Protocol != "" {
			text = strings.TrimSuffix(u.Protocol, "://") + "://" + text
		}
		if u.Port != nil && u.Port != "" {
			text += ":" + fmt.Sprint(u.Port)
		}
		if len(u.Path) > 0 {
			text += "/" + strings.TrimPrefix(strings.Join(u.Path, "/"), "/")
		}
	}
	off := false
	var sent []string
	for _, q := range u.Query {
		switch {
		case q == nil:
		case q.Disabled:
			off = true
		case len(q.Value) == 0 || string(q.Value) == "null":
			sent = append(sent, inQuery.Replace(q.name()))
		default:
			sent = append(sent, inQuery.Replace(q.name())+"="+inQuery.Replace(q.text()))
		}
	}
	if u.Raw != "" && !off {
		return text
	}
	text, _, _ = strings.Cut(text, "#")
	text, _, _ = strings.Cut(text, "?")
	if len(sent) > 0 {
		text += "?" + strings.Join(sent, "&")
	}
	return text
}

// pathVariable is a segment that Postman fills in, and has no value for.
var pathVariable = regexp.MustCompile(`/:[A-Za-z_]\w*`)

// inQuery keeps a parameter one parameter; what is encoded already stays so.
var inQuery = strings.NewReplacer("&", "%26", "#", "%23")
