package store

import (
	"database/sql"
	"fmt"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are the pool's. On SQLite the gauges add up the
// readers and the writer.
type metrics struct {
	acquire  prometheus.Histogram
	timeouts prometheus.Counter
	newConns prometheus.Counter
	pools    atomic.Pointer[[]*pool]
}

func newMetrics(reg prometheus.Registerer) (*metrics, error) {
	m := &metrics{
		acquire: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "db_pool_acquire_seconds", Help: "Wait for a database connection.",
			Buckets: []float64{.0001, .0005, .001, .005, .01, .05, .1, .5, 1, 5, 10, 30, 60, 120},
		}),
		timeouts: prometheus.NewCounter(prometheus.CounterOpts{Name: "db_pool_timeouts_total", Help: "Waits for a connection that ended without one."}),
		newConns: prometheus.NewCounter(prometheus.CounterOpts{Name: "db_pool_new_conns_total", Help: "Database connections opened."}),
	}
	if reg == nil {
		return m, nil
	}
	for _, c := range []prometheus.Collector{
		m.acquire, m.timeouts, m.newConns,
		m.gauge("db_pool_max", "Most connections the pool may open.", func(s sql.DBStats) int { return s.MaxOpenConnections }),
		m.gauge("db_pool_total", "Connections open.", func(s sql.DBStats) int { return s.OpenConnections }),
		m.gauge("db_pool_acquired", "Connections in use.", func(s sql.DBStats) int { return s.InUse }),
		m.gauge("db_pool_idle", "Connections idle.", func(s sql.DBStats) int { return s.Idle }),
	} {
		if err := reg.Register(c); err != nil {
			return nil, fmt.Errorf("register pool metrics: %w", err)
		}
	}
	return m, nil
}

func (m *metrics) gauge(name, help string, of func(sql.DBStats) int) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
		sum := 0
		if pools := m.pools.Load(); pools != nil {
			for _, p := range *pools {
				sum += of(p.db.Stats())
			}
		}
		return float64(sum)
	})
}

// watch gives the gauges their pools, which are opened after registration.
func (m *metrics) watch(pools []*pool) { m.pools.Store(&pools) }
