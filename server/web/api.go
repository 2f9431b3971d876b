package web

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// maxFieldErrors bounds how many wrong fields one answer lists.
const maxFieldErrors = 20

// humaOnce guards what huma keeps in package variables. They hold no server's
// state: what they need comes with the request.
var humaOnce sync.Once

// NewAPI is huma as the service runs it. The server and every test of a part of
// it build their API here, so that no test meets a stricter one than a client
// does. change, which may be nil, completes the configuration.
//
// Against huma's defaults: field names are compared exactly, and none may come
// twice; a refusal never quotes the rejected value, which may be a password, nor
// the text of a wrapped error; an answer is encoded before its status is sent.
func NewAPI(title, version string, adapter huma.Adapter, change func(*huma.Config)) huma.API {
	humaOnce.Do(func() {
		huma.ValidateStrictCasing = true // the decoder matches names without regard to case
		huma.DefaultArrayNullable = false
		huma.NewError = func(status int, msg string, errs ...error) huma.StatusError {
			return frameworkProblem(status, msg, errs)
		}
		huma.NewErrorWithContext = func(ctx huma.Context, status int, msg string, errs ...error) huma.StatusError {
			return Refused(ctx.Context(), frameworkProblem(status, msg, errs))
		}
	})
	c := huma.DefaultConfig(title, version)
	c.DocsPath, c.SchemasPath = "", ""
	c.CreateHooks = nil
	c.Formats = map[string]huma.Format{
		"application/json": {Marshal: writeEncoded, Unmarshal: huma.DefaultJSONFormat.Unmarshal},
		"json":             {Marshal: writeEncoded, Unmarshal: huma.DefaultJSONFormat.Unmarshal},
	}
	if change != nil {
		change(&c)
	}
	c.Transformers = append(c.Transformers, encode) // last: nothing may change what is encoded
	api := huma.NewAPI(c, adapter)
	api.UseMiddleware(refuseRepeatedNames(api))
	return api
}

// encoded is an answer as it is sent.
type encoded []byte

// encode turns an answer into its bytes while its status can still be another. A
// value that has no JSON is our fault: the panic makes the chain answer 500 with a
// body, where an error would come after a status of 200.
func encode(_ huma.Context, _ string, v any) (any, error) {
	if v == nil {
		return nil, nil
	}
	var b bytes.Buffer
	if err := huma.DefaultJSONFormat.Marshal(&b, v); err != nil {
		panic(fmt.Errorf("encode the answer: %w", err))
	}
	return encoded(b.Bytes()), nil
}

func writeEncoded(w io.Writer, v any) error {
	if b, ok := v.(encoded); ok {
		_, err := w.Write(b)
		return err
	}
	return huma.DefaultJSONFormat.Marshal(w, v)
}

// frameworkProblem is what huma found wrong, in our words: the field and the
// rule, never the value.
func frameworkProblem(status int, msg string, errs []error) *Problem {
	if status >= http.StatusInternalServerError {
		return ProblemOf(cmp.Or(errors.Join(errs...), errors.New(msg)))
	}
	code := map[int]string{
		http.StatusBadRequest:            "malformed",
		http.StatusRequestEntityTooLarge: "body_too_large",
		http.StatusUnsupportedMediaType:  "unsupported_media_type",
		http.StatusUnprocessableEntity:   "validation",
	}[status]
	p := Fail(status, cmp.Or(code, "refused"), "The request does not have the expected form.")
	for _, err := range errs {
		if d, ok := err.(huma.ErrorDetailer); ok && len(p.Errors) < maxFieldErrors {
			p.Errors = append(p.Errors, fieldError(d.ErrorDetail(), status))
		}
	}
	slices.SortFunc(p.Errors, func(a, b FieldError) int { // huma's order is a map's
		return cmp.Or(cmp.Compare(a.Field, b.Field), cmp.Compare(a.Msg, b.Msg))
	})
	return p
}

// fieldError keeps the place and the rule. What follows a colon in huma's
// messages is a parser's text, which quotes its input.
func fieldError(d *huma.ErrorDetail, status int) FieldError {
	rule, _, _ := strings.Cut(d.Message, ": ")
	if status == http.StatusBadRequest && d.Location == "body" {
		rule = "is not valid JSON"
	}
	field := d.Location
	if len(field) > 100 {
		field = strings.ToValidUTF8(field[:100], "") + "…"
	}
	return FieldError{Field: field, Msg: rule}
}

// ProblemOf is err as an answer: a problem as it is, a missed deadline as a 503,
// anything else as the generic 500 around its cause.
func ProblemOf(err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return Fail(http.StatusServiceUnavailable, "timeout", "The request took too long.").
			WithRetry(time.Second).Because(err)
	}
	return Internal(err)
}
