package server

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"

	"vitals/internal/atomicfile"
	"vitals/server/config"
	"vitals/server/store"
	"vitals/server/telemetry"
	"vitals/server/web"
)

// priceMark makes TestPriceService a process of its own, which BenchmarkHardening
// meters: "full" serves the whole chain, "trusting" the same without asking the
// database whether the session still lives, "bare" the mux with no layer before
// it. Its configuration is its environment; it ends when its input does.
const (
	priceMark  = "VITALS_TEST_PRICE"
	priceReady = "VITALS_TEST_PRICE_READY" // names its ready file
)

// priceAddr is what the ready file says.
type priceAddr struct{ Addr string }

func TestPriceService(t *testing.T) {
	variant := os.Getenv(priceMark)
	if variant == "" {
		t.Skip("it is the process that BenchmarkHardening meters, and tests nothing by itself")
	}
	env := map[string]string{}
	for _, line := range os.Environ() {
		name, value, _ := strings.Cut(line, "=")
		env[name] = value
	}
	cfg, _, err := config.Load(env)
	if err != nil {
		t.Fatal(err)
	}
	// A real write per line, as to a container's standard output.
	sink, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	services, err := OpenServices(t.Context(), cfg, Host{
		Log:      slog.New(telemetry.NewHandler(sink, telemetry.LogOptions{Level: slog.LevelInfo})),
		Registry: telemetry.NewRegistry("price"),
	}, true)
	if err != nil {
		t.Fatal(err)
	}
	if variant == "trusting" {
		who := principals(t, services)
		services.deps.CheckSession = func(_ context.Context, p web.Principal) (web.Principal, error) { return who[p.UserID], nil }
	}
	api, err := services.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(cfg.Core.Host, strconv.Itoa(cfg.Core.Port)))
	if err != nil {
		t.Fatal(err)
	}
	conns := bounded(l, cfg, api.metrics)
	hs := api.httpServer(conns)
	if variant == "bare" {
		hs.Handler = bareHandler(api, principals(t, services))
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // until the benchmark is done with us
		_ = hs.Shutdown(context.Background())
	}()
	err = atomicfile.Write(env[priceReady], func(w io.Writer) error {
		return json.NewEncoder(w).Encode(priceAddr{l.Addr().String()})
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = hs.Serve(conns)
	if err := services.Close(); err != nil {
		t.Error(err)
	}
}

// principals are the patients by their user ID.
func principals(t *testing.T, r *Services) map[int64]web.Principal {
	who := map[int64]web.Principal{}
	err := r.db.Read(t.Context(), func(ctx context.Context, q store.Querier) error {
		rows, err := q.QueryContext(ctx, `SELECT id, clinic_id, patient_id FROM users WHERE role = 'patient'`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			p := web.Principal{Role: web.Patient}
			if err := rows.Scan(&p.UserID, &p.ClinicID, &p.PatientID); err != nil {
				return err
			}
			who[p.UserID] = p
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return who
}

// bareHandler is the API's own mux. Somebody has to say who asks: the token is
// taken at its word, as a user ID.
func bareHandler(api *Server, who map[int64]web.Principal) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		token, _ := strings.CutPrefix(q.Header.Get("Authorization"), "Bearer ")
		id, _ := strconv.ParseInt(token, 10, 64) // 0 is nobody
		api.mux.ServeHTTP(w, q.WithContext(web.WithPrincipal(q.Context(), who[id])))
	})
}
