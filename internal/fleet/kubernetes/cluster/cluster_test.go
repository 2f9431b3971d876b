package cluster

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	k8stesting "k8s.io/client-go/testing"

	"vitals/internal/fleet/kubernetes"
	"vitals/internal/harness"
)

func engine(objects ...runtime.Object) (*Engine, *fake.Clientset) {
	c := fake.NewClientset(objects...)
	return &Engine{
		Job: kubernetes.Job{
			Name: "peak-1", Namespace: "load", Run: "peak-1", Image: "example.org/vitals@sha256:abc", Workers: 6, CPUs: 1, Meeting: "meeting", Deadline: time.Hour,
			Args: []string{"peak", "--url", "https://staging.example.org"}, Files: map[string]string{"t.yaml": "x"},
		},
		Batch: c.BatchV1(), Core: c.CoreV1(),
	}, c
}

// calls are what was asked of the API server, as verb and resource.
func calls(c *fake.Clientset) (out []string) {
	for _, a := range c.Actions() {
		out = append(out, a.GetVerb()+" "+a.GetResource().Resource)
	}
	return slices.Compact(out)
}

// The Job is created after its files, an index that fails is told of once, and all
// is deleted.
func TestAJobComesAndGoes(t *testing.T) {
	t.Parallel()
	e, c := engine()
	failed := make(chan int, 10)
	if err := e.Start(t.Context(), func(i int, err error) {
		if err == nil {
			t.Errorf("member %d: ended well, it failed", i)
		}
		failed <- i
	}); err != nil {
		t.Fatal(err)
	}
	job, err := c.BatchV1().Jobs("load").Get(t.Context(), "peak-1", metav1.GetOptions{})
	if err != nil || *job.Spec.Completions != 6 || job.Annotations[runAnnotation] != "peak-1" {
		t.Fatalf("got %+v, %v", job, err)
	}
	if files, err := c.CoreV1().ConfigMaps("load").Get(t.Context(), "peak-1", metav1.GetOptions{}); err != nil || files.Data["t.yaml"] != "x" {
		t.Errorf("got %+v, %v", files, err)
	}
	text := "1,3-4"
	job.Status.FailedIndexes = &text
	if _, err := c.BatchV1().Jobs("load").UpdateStatus(t.Context(), job, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	got := []int{<-failed, <-failed, <-failed}
	if !slices.Equal(got, []int{1, 3, 4}) {
		t.Errorf("failed %v, want 1, 3 and 4", got)
	}
	job.Status.Conditions = []v1.JobCondition{{Type: v1.JobFailed, Status: corev1.ConditionTrue, Reason: "DeadlineExceeded"}}
	if _, err := c.BatchV1().Jobs("load").UpdateStatus(t.Context(), job, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	if rest := <-failed; rest != harness.Everyone {
		t.Errorf("then %d, want everyone", rest)
	}
	for range 2 { // a second time nothing is there, and that is well
		if err := e.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	jobs, _ := c.BatchV1().Jobs("load").List(t.Context(), metav1.ListOptions{})
	files, _ := c.CoreV1().ConfigMaps("load").List(t.Context(), metav1.ListOptions{})
	if len(jobs.Items)+len(files.Items) > 0 {
		t.Errorf("left behind: %d jobs, %d config maps", len(jobs.Items), len(files.Items))
	}
	for _, call := range calls(c) {
		if what := strings.Fields(call)[1]; what != "jobs" && what != "configmaps" {
			t.Errorf("%s was called: the role that is documented may not", call)
		}
	}
}

// A Job of the same run is taken over; one of another run is neither used nor
// deleted.
func TestAJobThatIsThere(t *testing.T) {
	t.Parallel()
	there := func(run string) *v1.Job {
		return &v1.Job{ObjectMeta: metav1.ObjectMeta{Name: "peak-1", Namespace: "load", Annotations: map[string]string{runAnnotation: run}}}
	}
	e, c := engine(there("peak-1"))
	if err := e.Start(t.Context(), func(int, error) {}); err != nil {
		t.Fatal(err)
	}
	if slices.Contains(calls(c), "create jobs") {
		t.Error("a second job was created")
	}
	if err := e.Stop(t.Context()); err != nil || !slices.Contains(calls(c), "delete jobs") {
		t.Errorf("got %v, %v, want the job deleted", err, calls(c))
	}
	e, c = engine(there("other"))
	if err := e.Start(t.Context(), func(int, error) {}); err == nil || !strings.Contains(err.Error(), `of run "other"`) {
		t.Errorf("got %v, want it refused", err)
	}
	if err := e.Stop(t.Context()); err != nil || slices.Contains(calls(c), "delete jobs") {
		t.Errorf("got %v, %v, want nothing deleted", err, calls(c))
	}
}

// What the API server refuses is said, and what was made is taken away.
func TestAJobThatIsRefused(t *testing.T) {
	t.Parallel()
	e, c := engine()
	c.PrependReactor("create", "jobs", func(k8stesting.Action) (bool, runtime.Object, error) {
		return true, nil, errors.New("jobs.batch is forbidden")
	})
	if err := e.Start(context.Background(), func(int, error) {}); err == nil || !strings.Contains(err.Error(), "is forbidden") {
		t.Errorf("got %v", err)
	}
	if err := e.Stop(t.Context()); err != nil || !slices.Contains(calls(c), "delete configmaps") {
		t.Errorf("got %v, %v, want the config map deleted", err, calls(c))
	}
}
