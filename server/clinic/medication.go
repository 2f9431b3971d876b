package clinic

import (
	"database/sql"
	"strings"
	"time"
)

// MedicationFields is what a prescription says. Dates are YYYY-MM-DD and
// inclusive, reminder times HH:MM on the clocks of the time zone.
type MedicationFields struct {
	Name              string   `json:"name" minLength:"1" maxLength:"200" pattern:"^[^\\x00-\\x1f\\x7f]*$"`
	Dosage            string   `json:"dosage" minLength:"1" maxLength:"100" pattern:"^[^\\x00-\\x1f\\x7f]*$"`
	Form              string   `json:"form" enum:"tablet,capsule,liquid,injection,cream,drops,inhaler,topical,patch,other"`
	Instructions      *string  `json:"instructions" required:"false" maxLength:"2000" pattern:"^[^\\x00]*$"`
	FrequencyType     string   `json:"frequency_type" enum:"once_daily,twice_daily,three_times_daily,four_times_daily,every_x_hours,as_needed,custom"`
	FrequencyValue    *int64   `json:"frequency_value" required:"false" minimum:"1" maximum:"168" doc:"Hours between doses with every_x_hours; days between with custom, 1 if absent."`
	ReminderTimes     []string `json:"reminder_times" required:"false" maxItems:"24" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" doc:"Times of day; usual ones if absent. Required with custom, the first dose with every_x_hours."`
	Timezone          string   `json:"timezone" minLength:"1" maxLength:"64" pattern:"^[A-Za-z0-9_+/-]*$" doc:"IANA name, as in Europe/Rome." example:"Europe/Rome"`
	StartDate         string   `json:"start_date" format:"date"`
	EndDate           *string  `json:"end_date" required:"false" format:"date"`
	LowStockThreshold int64    `json:"low_stock_threshold" minimum:"0" maximum:"1000000"`
}

// Medication is one medication of one patient.
type Medication struct {
	ID        string `json:"id" format:"uuid"`
	PatientID string `json:"patient_id" format:"uuid"`
	MedicationFields
	CurrentStock int64     `json:"current_stock" doc:"Doses left."`
	IsLowStock   bool      `json:"is_low_stock" doc:"current_stock is at or below low_stock_threshold."`
	IsActive     bool      `json:"is_active" doc:"end_date has not passed in timezone."`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`
}

const medicationColumns = `id, patient_id, name, dosage, form, instructions, frequency_type, frequency_value,
	reminder_times, timezone, start_date, end_date, ends_at, current_stock, low_stock_threshold, created_at, updated_at`

// scanMedication is a scanner of medicationColumns at the time now.
func scanMedication(now time.Time) func(row) (Medication, error) {
	return func(r row) (Medication, error) {
		var m Medication
		var times string
		var ends sql.NullInt64
		var made, changed int64
		err := r.Scan(&m.ID, &m.PatientID, &m.Name, &m.Dosage, &m.Form, &m.Instructions, &m.FrequencyType, &m.FrequencyValue,
			&times, &m.Timezone, &m.StartDate, &m.EndDate, &ends, &m.CurrentStock, &m.LowStockThreshold, &made, &changed)
		m.ReminderTimes = []string{}
		if times != "" {
			m.ReminderTimes = strings.Split(times, ",")
		}
		m.IsLowStock = m.CurrentStock <= m.LowStockThreshold
		m.IsActive = !ends.Valid || ends.Int64 > now.UnixMilli()
		m.CreatedAt, m.UpdatedAt = moment(made), moment(changed)
		return m, err
	}
}

// endColumn is ends_at of the schedule: NULL without an end.
func endColumn(s schedule) sql.NullInt64 {
	end, ok := s.endsAt()
	return sql.NullInt64{Int64: end.UnixMilli(), Valid: ok}
}

// medications is where on the live medications of the scope.
func (s scope) medications() *conds { return s.where().and("deleted_at IS NULL") }
