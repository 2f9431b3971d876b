package clinic

import (
	"database/sql"
	"errors"
	"net/http"
	"time"

	"vitals/server/web"
)

// moment is a stored time, in milliseconds since 1970, as it is sent.
func moment(ms int64) time.Time { return time.UnixMilli(ms).UTC() }

// maybeMoment is moment for a column that may be NULL.
func maybeMoment(ms sql.NullInt64) *time.Time {
	if !ms.Valid {
		return nil
	}
	t := moment(ms.Int64)
	return &t
}

// day is a date YYYY-MM-DD as its midnight in UTC, which stands for the date in
// whatever zone it is later put.
func day(date string) (time.Time, error) { return time.Parse(time.DateOnly, date) }

// missing makes of "no rows" the refusal 404.
func missing(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return notFound()
	}
	return err
}

func isNotFound(err error) bool {
	p, ok := errors.AsType[*web.Problem](err)
	return ok && p.Status == http.StatusNotFound
}
