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

// Times are from the beginning of 1900 to the end of 2199: RFC 3339 has no year
// before 0000 or after 9999, and what was stored in one could never be sent again.
// The database holds the same bounds (migration 0004).
var (
	firstTime = time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)
	endOfTime = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// inRange refuses a time that no clinic could mean.
func inRange(field string, t time.Time) error {
	if t.Before(firstTime) || !t.Before(endOfTime) {
		return invalid(field, "must be from 1900 to 2199")
	}
	return nil
}

// periodInRange is inRange for the query of a list or report; a zero time was not
// given.
func periodInRange(from, to time.Time) error {
	if !from.IsZero() {
		if err := inRange("query.from", from); err != nil {
			return err
		}
	}
	if !to.IsZero() {
		return inRange("query.to", to)
	}
	return nil
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
