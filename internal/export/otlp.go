package export

import (
	"context"
	"fmt"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/metric"
	sdk "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"

	"vitals/internal/wire"
)

// otlp sends metrics over OTLP/HTTP, where and how the OTEL_* variables say.
type otlp struct {
	provider *sdk.MeterProvider
	duration metric.Float64Histogram
}

// sendEvery is the time between two sends.
const sendEvery = 10 * time.Second

func newOTLP(ctx context.Context, o Options) (*otlp, error) {
	exporter, err := otlpmetrichttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("OTLP: %w", err)
	}
	res, err := resource.New(ctx, resource.WithAttributes(
		attribute.String("service.name", "vitals"), attribute.String("service.version", o.Version), attribute.String("service.instance.id", o.RunID),
	), resource.WithTelemetrySDK(), resource.WithFromEnv()) // the environment has the last word
	if err != nil {
		return nil, fmt.Errorf("OTLP: resource: %w", err)
	}
	p := sdk.NewMeterProvider(sdk.WithResource(res), sdk.WithReader(sdk.NewPeriodicReader(exporter, sdk.WithInterval(sendEvery))))
	duration, err := p.Meter("vitals").Float64Histogram("http.client.request.duration",
		metric.WithUnit("s"), metric.WithDescription("Duration of HTTP client requests."), metric.WithExplicitBucketBoundaries(buckets...))
	if err != nil {
		return nil, fmt.Errorf("OTLP: %w", err)
	}
	return &otlp{provider: p, duration: duration}, nil
}

func (o *otlp) see(scenario string, x *wire.Seen) {
	attrs := []attribute.KeyValue{
		// No url.template: intruders invent paths without end.
		attribute.String("http.request.method", x.Method),
		attribute.String("test.suite.name", scenario), attribute.String("test.case.name", x.Step),
	}
	if x.Status > 0 {
		attrs = append(attrs, attribute.Int("http.response.status_code", x.Status))
	}
	switch {
	case x.Status == 0:
		attrs = append(attrs, attribute.String("error.type", x.Class.String()))
	case x.Status >= 400:
		attrs = append(attrs, attribute.String("error.type", fmt.Sprint(x.Status)))
	}
	o.duration.Record(context.Background(), x.Done.Sub(x.Sent).Seconds(), metric.WithAttributes(attrs...))
}

// close sends what is left. A collector that is not there is said once, at the end.
func (o *otlp) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := o.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("OTLP: the last metrics were not taken: %w", err)
	}
	return nil
}
