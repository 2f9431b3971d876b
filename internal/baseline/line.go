package baseline

import (
	"fmt"
	"strings"
)

// Line is the row in one line that is read once:
//
//	p95 normal: WORSE +20.3 % [+17.8, +22.8] k=5 tol 10 %
func (r Row) Line() string {
	name := r.Metric
	if r.Endpoint != "" {
		name += "(" + r.Endpoint + ")"
	}
	line := fmt.Sprintf("%s %s: %s", name, r.Scenario, strings.ToUpper(r.Word()))
	if r.Interval != nil {
		line += fmt.Sprintf(" %s [%s, %s] %s tol %s", r.signed(r.Delta)+r.unit(), r.signed(r.Interval.Low), r.signed(r.Interval.High), r.behind(), r.margin())
	}
	if r.Note != "" {
		line += " (" + r.Note + ")"
	}
	return line
}

// Word is the verdict as people write it: "no change".
func (r Row) Word() string {
	if r.Confirm {
		return "confirm"
	}
	return strings.ReplaceAll(string(r.Change), "_", " ")
}

// behind is how many replicates stand behind the row, and of what.
func (r Row) behind() string {
	switch r.Method {
	case BySessions:
		return fmt.Sprintf("%d+%d sessions", r.OldK, r.K)
	case ByAssuming:
		return fmt.Sprintf("%d+%d sessions, assumed noise,", r.OldK, r.K)
	}
	return fmt.Sprintf("k=%d", r.K)
}

func (r Row) unit() string {
	if r.Ratio {
		return " %"
	}
	return " pp"
}

// signed is a relative change in percent, or a difference in points.
func (r Row) signed(v float64) string {
	text := fmt.Sprintf("%+.2f", 100*v)
	if r.Ratio {
		text = fmt.Sprintf("%+.1f", 100*v)
	}
	if strings.Trim(text, "+-0.") == "" { // nothing is left of it
		return text[1:]
	}
	return text
}

func (r Row) margin() string {
	text := strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", 100*r.Tolerance), "0"), ".")
	return text + r.unit()
}

// RatesLine states the error rates of the gate behind a row, "" where none
// were computed.
func (r Row) RatesLine() string {
	if r.Rates == nil {
		return ""
	}
	return fmt.Sprintf("%s %s: this gate, at pairs that spread by %.1f %%: false alarm < %.1f %%, finds %+.0f %% in %.0f %%",
		r.Metric, r.Scenario, 100*r.Spread, ceilTenth(100*r.Rates.FalseAlarm), 100*r.Rates.Change, 100*r.Rates.Finds)
}

// ceilTenth rounds a bound up, never down.
func ceilTenth(v float64) float64 { return float64(int(v*10)+1) / 10 }
