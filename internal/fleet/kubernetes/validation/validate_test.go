package validation

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	genericapirequest "k8s.io/apiserver/pkg/endpoints/request"
	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/batch"
	_ "k8s.io/kubernetes/pkg/apis/batch/install"
	_ "k8s.io/kubernetes/pkg/apis/core/install"
	"k8s.io/kubernetes/pkg/registry/batch/job"
	"sigs.k8s.io/yaml"
)

// admit does what the API server does with a job: decode strictly, set defaults,
// prepare, validate. It returns what the server would refuse it with.
func admit(t *testing.T, text []byte) []string {
	t.Helper()
	asJSON, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return []string{err.Error()}
	}
	codecs := serializer.NewCodecFactory(legacyscheme.Scheme, serializer.EnableStrict)
	object, _, err := codecs.UniversalDeserializer().Decode(asJSON, nil, nil)
	if err != nil {
		return []string{err.Error()}
	}
	legacyscheme.Scheme.Default(object)
	internal, err := legacyscheme.Scheme.ConvertToVersion(object, runtime.InternalGroupVersioner)
	if err != nil {
		return []string{err.Error()}
	}
	j := internal.(*batch.Job)
	ctx := genericapirequest.WithNamespace(context.Background(), "load")
	j.Namespace = "load"
	j.UID = "00000000-0000-0000-0000-000000000000"
	job.Strategy.PrepareForCreate(ctx, j)
	var out []string
	for _, e := range job.Strategy.Validate(ctx, j) {
		out = append(out, e.Error())
	}
	return out
}

// rendered is the job as the program writes it, from the main module.
func rendered(t *testing.T) []byte {
	t.Helper()
	cmd := exec.Command("go", "run", "./cmd/vitals", "fleet", "render", "peak", "--run-id", "peak-1", "--namespace", "load", "--workers", "4",
		"--image", "example.org/vitals:1", "--rendezvous-secret", "meeting", "--accounts-secret", "accounts", "--url", "http://10.0.0.5:8000")
	cmd.Dir = "../../../.."
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("render: %v\n%s", err, errs.String())
	}
	_, text, ok := bytes.Cut(out, []byte("---\n"))
	if !ok {
		t.Fatalf("no second object in\n%s", out)
	}
	return text
}

func TestTheAPIServerTakesTheJob(t *testing.T) {
	text := rendered(t)
	if got := admit(t, text); len(got) > 0 {
		t.Fatalf("refused: %s", strings.Join(got, "\n"))
	}
	var j batchv1.Job
	if err := yaml.UnmarshalStrict(text, &j); err != nil || *j.Spec.Completions != 4 {
		t.Fatalf("got %v, %+v", err, j.Spec.Completions)
	}
	for fault, change := range map[string][2]string{
		"unknown field":                   {"parallelism: 4", "paralelism: 4"},
		"per-index backoff, not indexed":  {"completionMode: Indexed", "completionMode: NonIndexed"},
		"restarts its containers":         {"restartPolicy: Never", "restartPolicy: OnFailure"},
		"replaces pods before they ended": {"podReplacementPolicy: Failed", "podReplacementPolicy: TerminatingOrFailed"},
		"policy names another container":  {"containerName: member", "containerName: other"},
		"policy on success":               {"- 13\n", "- 0\n"},
		"bad name":                        {"name: peak-1\n  namespace", "name: Peak_1\n  namespace"},
	} {
		broken := strings.Replace(string(text), change[0], change[1], 1)
		if broken == string(text) {
			t.Errorf("%s: %q is not in the job:\n%s", fault, change[0], text)
			continue
		}
		if got := admit(t, []byte(broken)); len(got) == 0 {
			t.Errorf("%s: the API server would take it", fault)
		}
	}
}
