// Package cluster starts the members of a run as a Job of a Kubernetes cluster, and
// takes the Job away again. It needs to create, get and delete jobs and config maps
// of one namespace, and nothing else.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	v1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	batch "k8s.io/client-go/kubernetes/typed/batch/v1"
	core "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/clientcmd"

	"vitals/internal/fleet/kubernetes"
	"vitals/internal/harness"
)

// runAnnotation holds the run's identity: a Job of the same run is taken over, and
// any other of the same name is left alone.
const runAnnotation = "vitals/run"

// asked is how often the Job is asked how its pods are.
const asked = 2 * time.Second

// Engine starts the members as one Job, as harness.Engine says.
type Engine struct {
	Job   kubernetes.Job // with a namespace
	Batch batch.BatchV1Interface
	Core  core.CoreV1Interface

	foreign bool // the name is another run's
	stop    context.CancelFunc
	watched sync.WaitGroup
}

// Open makes an engine from the kubeconfig of the usual places: file, $KUBECONFIG,
// ~/.kube/config, or the pod that this runs in. "" leaves the choice to it. Without a
// namespace in the job, the context's is used.
func Open(file, context string, job kubernetes.Job) (*Engine, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = file
	config := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: context})
	rest, err := config.ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("kubernetes: read the kubeconfig: %w", err)
	}
	if job.Namespace == "" {
		if job.Namespace, _, err = config.Namespace(); err != nil {
			return nil, fmt.Errorf("kubernetes: read the namespace: %w", err)
		}
	}
	e := &Engine{Job: job}
	if e.Batch, err = batch.NewForConfig(rest); err != nil {
		return nil, fmt.Errorf("kubernetes: %w", err)
	}
	if e.Core, err = core.NewForConfig(rest); err != nil {
		return nil, fmt.Errorf("kubernetes: %w", err)
	}
	return e, nil
}

// Start creates the config map and the Job, and tells of each index that fails. A
// Job that this run made before is taken over.
func (e *Engine) Start(ctx context.Context, ended func(member int, err error)) error {
	files, job, err := kubernetes.Objects(e.Job)
	if err != nil {
		return err
	}
	job.Annotations = map[string]string{runAnnotation: e.Job.Run}
	files.Annotations = job.Annotations
	there, err := e.Batch.Jobs(e.Job.Namespace).Get(ctx, job.Name, metav1.GetOptions{})
	switch {
	case err == nil && there.Annotations[runAnnotation] == e.Job.Run:
	case err == nil:
		e.foreign = true
		return fmt.Errorf("kubernetes: the job %s/%s is there already, of run %q: choose another --run-id", e.Job.Namespace, job.Name, there.Annotations[runAnnotation])
	case !apierrors.IsNotFound(err):
		return fmt.Errorf("kubernetes: look for the job %s/%s: %w", e.Job.Namespace, job.Name, err)
	default:
		if err := e.create(ctx, files, job); err != nil {
			return err
		}
	}
	ctx, e.stop = context.WithCancel(ctx)
	e.watched.Go(func() { e.watch(ctx, ended) })
	return nil
}

func (e *Engine) create(ctx context.Context, files *corev1.ConfigMap, job *v1.Job) error {
	_, err := e.Core.ConfigMaps(e.Job.Namespace).Create(ctx, files, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		e.foreign = true
	}
	if err != nil {
		return fmt.Errorf("kubernetes: create the config map %s/%s: %w", e.Job.Namespace, files.Name, err)
	}
	if _, err := e.Batch.Jobs(e.Job.Namespace).Create(ctx, job, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("kubernetes: create the job %s/%s: %w", e.Job.Namespace, job.Name, err)
	}
	return nil
}

// watch asks how the pods are until the Job has ended. An API server that does not
// answer is asked again: the members' own word is at the rendezvous.
func (e *Engine) watch(ctx context.Context, ended func(member int, err error)) {
	told := map[int]bool{}
	t := time.NewTicker(asked)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		job, err := e.Batch.Jobs(e.Job.Namespace).Get(ctx, e.Job.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			ended(harness.Everyone, errors.New("the job was deleted"))
			return
		}
		if err != nil {
			continue
		}
		if job.Status.FailedIndexes != nil {
			for _, i := range indexes(*job.Status.FailedIndexes, e.Job.Workers) {
				if !told[i] {
					told[i] = true
					ended(i, errors.New("its pod failed"))
				}
			}
		}
		for _, c := range job.Status.Conditions {
			if c.Status == corev1.ConditionTrue && c.Type == v1.JobFailed {
				ended(harness.Everyone, fmt.Errorf("the job failed: %s: %s", c.Reason, c.Message))
				return
			}
			if c.Status == corev1.ConditionTrue && c.Type == v1.JobComplete {
				return
			}
		}
	}
}

// indexes reads a list such as "1,3-5", as Jobs write it; what lies outside the
// members is left out.
func indexes(text string, members int) (out []int) {
	for _, part := range strings.Split(text, ",") {
		from, to, ranged := strings.Cut(part, "-")
		a, err := strconv.Atoi(from)
		if err != nil {
			continue
		}
		b := a
		if ranged {
			if b, err = strconv.Atoi(to); err != nil {
				continue
			}
		}
		for i := max(0, a); i <= b && i < members; i++ {
			out = append(out, i)
		}
	}
	return out
}

// Stop deletes the Job, whose pods are told to end, and the config map. What is not
// there is no error; what is another run's is left alone.
func (e *Engine) Stop(ctx context.Context) error {
	if e.stop != nil {
		e.stop()
		e.watched.Wait()
	}
	if e.foreign {
		return nil
	}
	how := metav1.DeletePropagationBackground
	var errs []error
	if err := e.Batch.Jobs(e.Job.Namespace).Delete(ctx, e.Job.Name, metav1.DeleteOptions{PropagationPolicy: &how}); err != nil && !apierrors.IsNotFound(err) {
		errs = append(errs, fmt.Errorf("kubernetes: delete the job %s/%s, which may still send load: %w", e.Job.Namespace, e.Job.Name, err))
	}
	if err := e.Core.ConfigMaps(e.Job.Namespace).Delete(ctx, e.Job.Name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		errs = append(errs, fmt.Errorf("kubernetes: delete the config map %s/%s: %w", e.Job.Namespace, e.Job.Name, err))
	}
	return errors.Join(errs...)
}
