// Package clinic is the domain of the reference API: patients, their
// medications, the reminders made from them, the log of what was taken, and
// adherence over it. Whose a record is, is decided in SQL: a
// record of another owner is not found. Signing in, limits and the shape of
// huma's own errors belong to the packages above and beside it.
package clinic

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"vitals/server/store"
	"vitals/server/web"
)

// Deps is what the service needs. Now may be nil, which means time.Now.
type Deps struct {
	DB  store.DB
	Now func() time.Time
}

// clinic answers the operations.
type clinic struct {
	db    store.DB
	now   func() time.Time
	zones zones
}

// maxBody is the size of the largest request body, in bytes (as MAX_BODY_BYTES).
const maxBody = 64 << 10

// Register adds the operations from /patients to
// /analytics/recent to the API, under /api/v1.
func Register(api huma.API, d Deps) {
	c := &clinic{db: d.DB, now: d.Now}
	if c.now == nil {
		c.now = time.Now
	}
	c.registerPatients(api)
	c.registerMedications(api)
	c.registerReminders(api)
	c.registerLogs(api)
	c.registerAnalytics(api)
}

// operation describes an operation for signed-in users of the given roles.
func operation(method, path, id, summary, tag string, roles ...web.Role) huma.Operation {
	op := huma.Operation{
		OperationID:  id,
		Method:       method,
		Path:         "/api/v1" + path,
		Summary:      summary,
		Tags:         []string{tag},
		Security:     []map[string][]string{{"bearer": {}}},
		Metadata:     map[string]any{"roles": roles},
		MaxBodyBytes: maxBody,
		Errors:       []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound},
	}
	return op
}

// describe adds a description and the errors that only this operation has.
func describe(op huma.Operation, text string, errs ...int) huma.Operation {
	op.Description = text
	op.Errors = append(op.Errors, errs...)
	return op
}

// creating makes the operation answer 201.
func creating(op huma.Operation) huma.Operation {
	op.DefaultStatus = http.StatusCreated
	return op
}

// found is the answer with a body; created has its Location too.
type (
	found[T any] struct{ Body T }

	created[T any] struct {
		Location string `header:"Location"`
		Body     T
	}
)

// ByID is the input of operations that need nothing but an object's id.
type ByID struct {
	ID string `path:"id" format:"uuid"`
}

func newID() (string, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return "", fmt.Errorf("make id: %w", err)
	}
	return id.String(), nil
}

func notFound() error {
	return web.Fail(http.StatusNotFound, "not_found", "There is no such object.")
}

func conflict(code, detail string) error {
	return web.Fail(http.StatusConflict, code, detail)
}

// invalid is the refusal of one field by a rule that the schema cannot say. The
// field is named as huma names it, as in "body.timezone".
func invalid(field, msg string) error {
	p := web.Fail(http.StatusUnprocessableEntity, "validation", "The request does not have the expected form.")
	p.Errors = []web.FieldError{{Field: field, Msg: msg}}
	return p
}

// fault passes refusals on and turns every other error into a 500 whose cause
// is for the log.
func fault(attempt string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*web.Problem](err); ok {
		return err
	}
	return web.Internal(fmt.Errorf("%s: %w", attempt, err))
}

// read and write run fn on the database and make of its error what a handler
// returns.
func (c *clinic) read(ctx context.Context, attempt string, fn func(context.Context, store.Querier) error) error {
	return fault(attempt, c.db.Read(ctx, fn))
}

func (c *clinic) write(ctx context.Context, attempt string, fn func(context.Context, store.Querier) error) error {
	return fault(attempt, c.db.Write(ctx, fn))
}
