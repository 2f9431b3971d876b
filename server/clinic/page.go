package clinic

import (
	"context"
	"database/sql"
	"fmt"

	"vitals/server/store"
)

// Page is the part of a list that is asked for.
type Page struct {
	Page     int `query:"page" default:"1" minimum:"1" maximum:"10001" doc:"Page number, from 1; at most 10 000 items can be skipped."`
	PageSize int `query:"page_size" default:"20" minimum:"1" maximum:"100" doc:"Items on a page."`
}

// List is one page of a list. Total is exact up to the last item that paging
// can reach (10 000 + 100), so that no count costs more than
// that many index entries.
type List[T any] struct {
	Items    []T `json:"items" nullable:"false"`
	Total    int `json:"total" doc:"Items in the whole list; counting stops at 10 100, the end of what paging can reach."`
	Page     int `json:"page"`
	PageSize int `json:"page_size"`
}

const (
	maxOffset = 10_000
	maxTotal  = maxOffset + 100
)

func (p Page) offset() int { return (p.Page - 1) * p.PageSize }

func (p Page) check() error {
	if p.offset() > maxOffset {
		return invalid("query.page", fmt.Sprintf("(page - 1) × page_size must be at most %d", maxOffset))
	}
	return nil
}

// listing is a list in SQL: which rows of a table, in which order, as which
// columns of r. The columns are computed for the rows of the page only, not for
// those counted or skipped.
type listing struct {
	table   string
	where   *conds
	order   string // as in "r.id DESC"
	columns string
}

// page reads one page and the total in one statement.
func page[T any](ctx context.Context, q store.Querier, l listing, p Page, scan func(row) (T, error)) (List[T], error) {
	out := List[T]{Items: []T{}, Page: p.Page, PageSize: p.PageSize}
	w := l.where
	count := fmt.Sprintf("(SELECT COUNT(*) FROM (SELECT 1 FROM %s WHERE %s LIMIT %d) AS reachable)", l.table, w, maxTotal)
	counted := len(w.args)
	text := fmt.Sprintf(
		"SELECT %s, %s FROM (SELECT * FROM %s AS r WHERE %s ORDER BY %s LIMIT %s OFFSET %s) AS r ORDER BY %s",
		count, l.columns, l.table, w, l.order, w.arg(p.PageSize), w.arg(p.offset()), l.order)
	rows, err := q.QueryContext(ctx, text, w.args...)
	if err != nil {
		return out, err
	}
	defer rows.Close()
	for rows.Next() {
		item, err := scan(countedRow{rows, &out.Total})
		if err != nil {
			return out, err
		}
		out.Items = append(out.Items, item)
	}
	if err := rows.Err(); err != nil || len(out.Items) > 0 || p.Page == 1 {
		return out, err
	}
	// A page past the end has no row to carry the total.
	err = q.QueryRowContext(ctx, "SELECT "+count, w.args[:counted]...).Scan(&out.Total)
	return out, err
}

// row is a row to scan: *sql.Row, *sql.Rows or a countedRow.
type row interface{ Scan(dest ...any) error }

// countedRow is a row whose first column is the list's total.
type countedRow struct {
	rows  *sql.Rows
	total *int
}

func (r countedRow) Scan(dest ...any) error {
	return r.rows.Scan(append([]any{r.total}, dest...)...)
}
