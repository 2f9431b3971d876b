package clinic

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"vitals/server/store"
)

// StockChange is a change of stock by hand, in doses: delivered or thrown away.
type StockChange struct {
	Delta int64   `json:"delta" minimum:"-1000000" maximum:"1000000"`
	Note  *string `json:"note" required:"false" maxLength:"500" pattern:"^[^\\x00]*$"`
}

type changeStock struct {
	ByID
	Body StockChange
}

// maxStock keeps a count one that people could have counted.
const maxStock = 1_000_000

func (c *clinic) registerStock(api huma.API) {
	huma.Register(api, describe(operation("POST", "/medications/{id}/stock", "change-stock", "Change a medication's stock", "medications", member...),
		"Adds delta to the stock. 409 if there is not as much to take, or more than 1 000 000 would be left.",
		http.StatusConflict), c.changeStock)
}

func (c *clinic) changeStock(ctx context.Context, in *changeStock) (*found[Medication], error) {
	s, err := scopeOf(ctx)
	if err != nil {
		return nil, err
	}
	now := c.now()
	id, err := newID()
	if err != nil {
		return nil, fault("change stock", err)
	}
	out := new(found[Medication])
	err = c.write(ctx, "change stock", func(ctx context.Context, q store.Querier) (err error) {
		w := s.medications().and("id = ?", in.ID)
		delta := w.arg(in.Body.Delta)
		w.and("current_stock + "+delta+" BETWEEN 0 AND ?", maxStock)
		text := w.update("medications", "current_stock = current_stock + "+delta+", updated_at = ?", now.UnixMilli()) +
			" RETURNING " + medicationColumns
		out.Body, err = scanMedication(now)(q.QueryRowContext(ctx, text, w.args...))
		if err = missing(err); isNotFound(err) {
			return c.whyNoStock(ctx, q, s, in.ID)
		}
		if err != nil {
			return err
		}
		_, err = q.ExecContext(ctx, `INSERT INTO stock_changes (id, clinic_id, medication_id, delta, note, changed_by, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7)`, id, s.clinic, in.ID, in.Body.Delta, in.Body.Note, s.user, now.UnixMilli())
		return err
	})
	return out, err
}

// whyNoStock words a refusal that the UPDATE has already decided.
func (c *clinic) whyNoStock(ctx context.Context, q store.Querier, s scope, id string) error {
	w := s.medications().and("id = ?", id)
	var one int
	if err := q.QueryRowContext(ctx, "SELECT 1 FROM medications WHERE "+w.String(), w.args...).Scan(&one); err != nil {
		return missing(err)
	}
	return conflict("insufficient_stock", "The stock does not allow this change.")
}

// useDose takes one dose from the stock if there is one, and says how many were
// taken. A dose that was swallowed is a fact even if the count said none was
// left, so an empty stock stays at 0 and is no refusal.
func useDose(ctx context.Context, q store.Querier, w *conds, now int64) (int64, error) {
	w.and("deleted_at IS NULL AND current_stock > 0")
	text := w.update("medications", "current_stock = current_stock - 1, updated_at = ?", now)
	done, err := q.ExecContext(ctx, text, w.args...)
	if err != nil {
		return 0, err
	}
	return done.RowsAffected()
}
