// Package kubernetes renders a run of several members as an Indexed Job. It
// writes YAML and contacts nothing.
package kubernetes

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"vitals/internal/fleet"
)

// Job says how a run becomes a Kubernetes Indexed Job. No field holds a
// secret: secrets are named, and the cluster puts them into the pods as files.
type Job struct {
	Name      string // of the job and its config map: a DNS label of at most 50 characters
	Namespace string
	Image     string // of vitals, best by digest
	Run       string // identity of the run at the rendezvous; default Name
	Workers   int
	Args      []string          // of `vitals run`, without --member, --out and --rendezvous
	Files     map[string]string // scenario, targets and profile files by name, mounted at /plan
	Accounts  string            // secret with the key accounts.csv; "" = no accounts
	Meeting   string            // secret with the key url: the rendezvous' Redis URL
	CPUs      int               // whole processors for each pod
	MemoryMiB int               // default 512
	Deadline  time.Duration     // of the whole job: barrier, run and drain
	MaxLost   int               // members that may be lost without ending the run
}

// Bounds of the API server's: of a job's name, for its pods' names are made of it, and
// of a config map (https://kubernetes.io/docs/concepts/configuration/configmap/).
const (
	longestName = 50
	mostFiles   = 1 << 20
)

const (
	planDir   = "/plan"
	secretDir = "/secrets"
)

// Render writes the config map and the job as YAML. It contacts nothing.
func Render(o Job) ([]byte, error) {
	files, job, err := Objects(o)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	for i, object := range []any{files, job} {
		text, err := yaml.Marshal(object)
		if err != nil {
			return nil, fmt.Errorf("render job %s: %w", o.Name, err)
		}
		if i > 0 {
			out.WriteString("---\n")
		}
		out.Write(bytes.ReplaceAll(text, []byte("status: {}\n"), nil))
	}
	return out.Bytes(), nil
}

// Objects are the config map and the job that Render writes.
func Objects(o Job) (*corev1.ConfigMap, *batchv1.Job, error) {
	if err := o.check(); err != nil {
		return nil, nil, err
	}
	return o.configMap(), o.object(), nil
}

func (o Job) check() error {
	var errs []error
	need := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	name := func(what, value string, rule func(string) []string) {
		if wrong := rule(value); len(wrong) > 0 {
			errs = append(errs, fmt.Errorf("%s %q: %s", what, value, wrong[0]))
		}
	}
	name("the job's name (the run id in lower case)", o.Name, validation.IsDNS1123Label)
	need(len(o.Name) <= longestName, "the job's name %q has %d characters, want at most %d: the pods' names are longer", o.Name, len(o.Name), longestName)
	if o.Namespace != "" {
		name("--namespace", o.Namespace, validation.IsDNS1123Label)
	}
	switch {
	case o.Image == "":
		errs = append(errs, errors.New("no image: build one of vitals and name it with --image"))
	case strings.ContainsFunc(o.Image, unicode.IsSpace) || strings.Contains(o.Image, "://") || strings.ContainsRune(o.Image, '…'):
		errs = append(errs, fmt.Errorf("--image %q: want HOST/NAME:TAG or HOST/NAME@sha256:DIGEST", o.Image))
	}
	need(o.Workers >= 1, "--workers %d: want at least 1", o.Workers)
	need(o.CPUs >= 1, "--cpus %d: want at least 1: a member needs whole processors of its own", o.CPUs)
	if o.Meeting == "" {
		errs = append(errs, errors.New("no rendezvous: name the secret that holds its Redis URL under the key url (--rendezvous-secret)"))
	} else {
		name("--rendezvous-secret", o.Meeting, validation.IsDNS1123Subdomain)
	}
	if o.Accounts != "" {
		name("--accounts-secret", o.Accounts, validation.IsDNS1123Subdomain)
	}
	need(o.Deadline > 0, "--deadline %s: a job without one may send load for ever", o.Deadline)
	need(o.MaxLost >= 0 && o.MaxLost < max(1, o.Workers), "--max-lost %d: want 0 to %d", o.MaxLost, max(0, o.Workers-1))
	size := 0
	for file, text := range o.Files {
		size += len(text)
		name("file name", file, validation.IsConfigMapKey)
	}
	need(size <= mostFiles, "the files have %d bytes, a config map takes %d", size, mostFiles)
	for _, a := range o.Args {
		need(!strings.HasPrefix(a, "--member") && !strings.HasPrefix(a, "--rendezvous") && !strings.HasPrefix(a, "--out"), "argument %s is the job's own", a)
		u, err := url.Parse(strings.TrimPrefix(a, "--url="))
		need(err != nil || u.User == nil, "an argument holds a user name or password in a URL, which everybody reads who reads the job: take them out")
	}
	return errors.Join(errs...)
}

func (o Job) configMap() *corev1.ConfigMap {
	return &corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: metav1.ObjectMeta{Name: o.Name, Namespace: o.Namespace, Labels: o.labels()},
		Data:       o.Files,
	}
}

func (o Job) labels() map[string]string {
	return map[string]string{"app.kubernetes.io/name": "vitals", "app.kubernetes.io/instance": o.Name}
}

// object is an Indexed Job whose pods start once each: a member that comes back
// after it has sent load would send its share twice, so none is replaced.
func (o Job) object() *batchv1.Job {
	seconds := int64(o.Deadline.Seconds())
	return &batchv1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"},
		ObjectMeta: metav1.ObjectMeta{Name: o.Name, Namespace: o.Namespace, Labels: o.labels()},
		Spec: batchv1.JobSpec{
			CompletionMode: ptr(batchv1.IndexedCompletion),
			Completions:    ptr(int32(o.Workers)), Parallelism: ptr(int32(o.Workers)),
			BackoffLimitPerIndex: ptr(int32(0)), MaxFailedIndexes: ptr(int32(o.MaxLost)),
			PodReplacementPolicy:    ptr(batchv1.Failed),
			ActiveDeadlineSeconds:   &seconds,
			TTLSecondsAfterFinished: ptr(int32(24 * 60 * 60)),
			PodFailurePolicy: &batchv1.PodFailurePolicy{Rules: []batchv1.PodFailurePolicyRule{
				onExit(batchv1.PodFailurePolicyActionFailJob, fleet.ExitAborted, fleet.ExitBarrier, fleet.ExitRefused),
				onExit(batchv1.PodFailurePolicyActionFailIndex, fleet.ExitFenced),
				// A pod that is moved away before the start costs nothing: its
				// successor takes the index over.
				{Action: batchv1.PodFailurePolicyActionIgnore, OnPodConditions: []batchv1.PodFailurePolicyOnPodConditionsPattern{
					{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue},
				}},
			}},
			Template: o.pod(),
		},
	}
}

func onExit(action batchv1.PodFailurePolicyAction, codes ...int32) batchv1.PodFailurePolicyRule {
	return batchv1.PodFailurePolicyRule{Action: action, OnExitCodes: &batchv1.PodFailurePolicyOnExitCodesRequirement{
		ContainerName: ptr(container), Operator: batchv1.PodFailurePolicyOnExitCodesOpIn, Values: codes,
	}}
}

const container = "member"

// pod passes the pod security standard "restricted" and needs no API access.
func (o Job) pod() corev1.PodTemplateSpec {
	limits := corev1.ResourceList{
		corev1.ResourceCPU:    *resource.NewQuantity(int64(o.CPUs), resource.DecimalSI),
		corev1.ResourceMemory: *resource.NewQuantity(int64(cmp.Or(o.MemoryMiB, 512))<<20, resource.BinarySI),
	}
	args := append([]string{"run"}, o.Args...)
	args = append(args, "--member", fmt.Sprintf("$(JOB_COMPLETION_INDEX)/%d", o.Workers), "--out", "/out")
	volumes := []corev1.Volume{
		{Name: "plan", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: o.Name}}}},
		{Name: "out", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}},
		secret("rendezvous", o.Meeting),
	}
	mounts := []corev1.VolumeMount{
		{Name: "plan", MountPath: planDir, ReadOnly: true}, {Name: "out", MountPath: "/out"}, {Name: "tmp", MountPath: "/tmp"},
		{Name: "rendezvous", MountPath: secretDir + "/rendezvous", ReadOnly: true},
	}
	args = append(args, "--rendezvous-file", secretDir+"/rendezvous/url", "--run-id", cmp.Or(o.Run, o.Name))
	if o.Accounts != "" {
		volumes = append(volumes, secret("accounts", o.Accounts))
		mounts = append(mounts, corev1.VolumeMount{Name: "accounts", MountPath: secretDir + "/accounts", ReadOnly: true})
		args = append(args, "--accounts", secretDir+"/accounts/accounts.csv")
	}
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: o.labels(), Annotations: map[string]string{
			"cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
			"karpenter.sh/do-not-disrupt":                    "true",
		}},
		Spec: corev1.PodSpec{
			RestartPolicy:                corev1.RestartPolicyNever,
			AutomountServiceAccountToken: ptr(false), EnableServiceLinks: ptr(false),
			TerminationGracePeriodSeconds: ptr(int64(60)),
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: ptr(true), RunAsUser: ptr(int64(65532)), RunAsGroup: ptr(int64(65532)), FSGroup: ptr(int64(65532)),
				SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
				// A safe sysctl: one address makes as many connections as there are ports.
				Sysctls: []corev1.Sysctl{{Name: "net.ipv4.ip_local_port_range", Value: "1024 65535"}},
			},
			TopologySpreadConstraints: []corev1.TopologySpreadConstraint{{
				MaxSkew: 1, TopologyKey: corev1.LabelHostname, WhenUnsatisfiable: corev1.ScheduleAnyway,
				LabelSelector: &metav1.LabelSelector{MatchLabels: o.labels()},
			}},
			Containers: []corev1.Container{{
				Name: container, Image: o.Image, Args: args, WorkingDir: planDir, VolumeMounts: mounts,
				Resources: corev1.ResourceRequirements{Requests: limits, Limits: limits},
				SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: ptr(false), ReadOnlyRootFilesystem: ptr(true),
					Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				},
			}},
			Volumes: volumes,
		},
	}
}

func secret(name, of string) corev1.Volume {
	return corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: of, DefaultMode: ptr(int32(0o440))}}}
}

func ptr[T any](v T) *T { return &v }
