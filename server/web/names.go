package web

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"unicode"

	"github.com/danielgtaylor/huma/v2"
)

// refuseRepeatedNames refuses a body in which an object has two fields whose names
// differ in case at most. JSON leaves open which of them counts (RFC 8259, 4): the
// schema would check one of them and the decoder keep another.
func refuseRepeatedNames(api huma.API) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		if ctx.Operation().RequestBody == nil {
			next(ctx)
			return
		}
		body, err := io.ReadAll(io.LimitReader(ctx.BodyReader(), ctx.Operation().MaxBodyBytes)) // one of this length is too long for huma
		if err != nil {
			_ = huma.WriteErr(api, ctx, http.StatusBadRequest, "unreadable body", err) // it answers, whatever it returns
			return
		}
		if path := RepeatedName(body); path != "" {
			_ = huma.WriteErr(api, ctx, http.StatusUnprocessableEntity, "validation failed",
				&huma.ErrorDetail{Location: path, Message: "comes more than once (names are compared without regard to case)"})
			return
		}
		next(&readBody{ctx, bytes.NewReader(body)})
	}
}

type humaContext huma.Context // a field named Context would hide the method

// readBody is a request whose body has been read.
type readBody struct {
	humaContext
	body io.Reader
}

func (r *readBody) BodyReader() io.Reader { return r.body }

// Unwrap lets huma's adapters find the request they made.
func (r *readBody) Unwrap() huma.Context { return r.humaContext }

// RepeatedName is the place of the first field that its object has already, as in
// body.name; "" if there is none, or if the text is not JSON.
func RepeatedName(text []byte) string {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber() // a number too large is the schema's to refuse
	at, _ := repeatedName(dec, "body")
	return at
}

// repeatedName reads one value. An error ends the search: the text is not JSON.
func repeatedName(dec *json.Decoder, at string) (string, error) {
	token, err := dec.Token()
	if err != nil {
		return "", err
	}
	open, _ := token.(json.Delim)
	if open != '{' && open != '[' {
		return "", nil
	}
	names := map[string]bool{}
	for dec.More() {
		here := at
		if open == '{' {
			token, err := dec.Token()
			if err != nil {
				return "", err
			}
			name, _ := token.(string) // the decoder takes nothing else there
			here = at + "." + name
			folded := strings.Map(fold, name)
			if names[folded] {
				return here, nil
			}
			names[folded] = true
		}
		if found, err := repeatedName(dec, here); found != "" || err != nil {
			return found, err
		}
	}
	_, err = dec.Token() // the closing bracket
	return "", err
}

// fold is the smallest letter that differs from r in case at most, which is how
// encoding/json compares names.
func fold(r rune) rune {
	for {
		next := unicode.SimpleFold(r)
		if next <= r {
			return next
		}
		r = next
	}
}
