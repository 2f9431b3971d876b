package deploy

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"

	"vitals/server/config"
)

// object is a manifest in the fields that ours use; a misspelt one is unknown.
type object struct {
	APIVersion string `yaml:"apiVersion"`
	Kind       string
	Metadata   metadata
	Data       map[string]string
	Spec       struct {
		Replicas     int
		MinAvailable int            `yaml:"minAvailable"`
		Selector     map[string]any // a map for Services, matchLabels else
		Strategy     map[string]map[string]int
		Template     struct {
			Metadata metadata
			Spec     pod
		}
		Ports       []map[string]any
		PodSelector map[string]any `yaml:"podSelector"`
		PolicyTypes []string       `yaml:"policyTypes"`
		Ingress     []struct {
			From  []map[string]any
			Ports []map[string]any
		}
	}
}

type metadata struct {
	Name, Namespace     string
	Labels, Annotations map[string]string
}

type pod struct {
	EnableServiceLinks            *bool `yaml:"enableServiceLinks"`
	AutomountServiceAccountToken  *bool `yaml:"automountServiceAccountToken"`
	TerminationGracePeriodSeconds int   `yaml:"terminationGracePeriodSeconds"`
	SecurityContext               struct {
		RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
		RunAsUser      int                   `yaml:"runAsUser"`
		RunAsGroup     int                   `yaml:"runAsGroup"`
		FSGroup        int                   `yaml:"fsGroup"`
		SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
	} `yaml:"securityContext"`
	TopologySpreadConstraints []struct {
		MaxSkew           int            `yaml:"maxSkew"`
		TopologyKey       string         `yaml:"topologyKey"`
		WhenUnsatisfiable string         `yaml:"whenUnsatisfiable"`
		LabelSelector     map[string]any `yaml:"labelSelector"`
	} `yaml:"topologySpreadConstraints"`
	Containers []struct {
		Name, Image     string
		ImagePullPolicy string `yaml:"imagePullPolicy"`
		Ports           []struct {
			Name          string
			ContainerPort int `yaml:"containerPort"`
		}
		EnvFrom         []map[string]struct{ Name string } `yaml:"envFrom"`
		Env             []struct{ Name, Value string }
		SecurityContext struct {
			AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
			ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
			Capabilities             struct{ Drop []string }
		} `yaml:"securityContext"`
		Resources      map[string]map[string]string
		StartupProbe   probe `yaml:"startupProbe"`
		LivenessProbe  probe `yaml:"livenessProbe"`
		ReadinessProbe probe `yaml:"readinessProbe"`
		VolumeMounts   []struct {
			Name      string
			MountPath string `yaml:"mountPath"`
			ReadOnly  bool   `yaml:"readOnly"`
		} `yaml:"volumeMounts"`
	}
	Volumes []struct {
		Name   string
		Secret struct {
			SecretName  string `yaml:"secretName"`
			DefaultMode int    `yaml:"defaultMode"`
		}
		EmptyDir struct {
			Medium    string
			SizeLimit string `yaml:"sizeLimit"`
		} `yaml:"emptyDir"`
	}
}

type probe struct {
	HTTPGet             struct{ Path, Port string } `yaml:"httpGet"`
	InitialDelaySeconds int                         `yaml:"initialDelaySeconds"`
	PeriodSeconds       int                         `yaml:"periodSeconds"`
	TimeoutSeconds      int                         `yaml:"timeoutSeconds"`
	FailureThreshold    int                         `yaml:"failureThreshold"`
}

// manifests reads every resource that the kustomization lists, by kind.
func manifests(t *testing.T) map[string]object {
	t.Helper()
	var k struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Namespace  string
		Resources  []string
		Images     []struct {
			Name   string
			NewTag string `yaml:"newTag"`
		}
	}
	load(t, "k8s/kustomization.yaml", &k)
	files, err := filepath.Glob("k8s/*.yaml")
	if err != nil || len(files) != len(k.Resources)+1 {
		t.Errorf("got %d files, %v, want the kustomization to list all but itself (%d)", len(files), err, len(k.Resources))
	}
	found := map[string]object{}
	for _, name := range k.Resources {
		b, err := os.ReadFile(filepath.Join("k8s", name))
		if err != nil {
			t.Fatal(err)
		}
		dec, err := yaml.NewLoader(bytes.NewReader(b), yaml.WithKnownFields(), yaml.WithUniqueKeys())
		if err != nil {
			t.Fatal(err)
		}
		for {
			var o object
			err := dec.Load(&o)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if _, twice := found[o.Kind]; twice || o.Kind == "" || o.APIVersion == "" {
				t.Errorf("%s: got kind %q, version %q, want each kind once", name, o.Kind, o.APIVersion)
			}
			if o.Kind != "Namespace" && o.Metadata.Namespace != k.Namespace {
				t.Errorf("%s: got namespace %q, want %q", o.Kind, o.Metadata.Namespace, k.Namespace)
			}
			found[o.Kind] = o
		}
	}
	return found
}

func TestKubernetes(t *testing.T) {
	all := manifests(t)
	deployment := all["Deployment"]
	spec := deployment.Spec.Template.Spec
	api := spec.Containers[0]
	no := func(b *bool) bool { return b != nil && !*b }

	// PodSecurity "restricted", and a root that cannot be written.
	own := api.SecurityContext
	if s := spec.SecurityContext; !s.RunAsNonRoot || s.RunAsUser == 0 || s.SeccompProfile.Type != "RuntimeDefault" || !no(own.AllowPrivilegeEscalation) ||
		!slices.Equal(own.Capabilities.Drop, []string{"ALL"}) || !own.ReadOnlyRootFilesystem {
		t.Errorf("got %+v and %+v, want the restricted standard", s, own)
	}
	if all["Namespace"].Metadata.Labels["pod-security.kubernetes.io/enforce"] != "restricted" {
		t.Error("the namespace does not enforce it")
	}
	if !no(spec.AutomountServiceAccountToken) || !no(spec.EnableServiceLinks) {
		t.Error("pods get a token, or variables of services")
	}

	// The probes of the published guide.
	want := map[string]probe{"/live": {InitialDelaySeconds: 5, PeriodSeconds: 10}, "/ready": {InitialDelaySeconds: 5, PeriodSeconds: 5}}
	for _, p := range []probe{api.LivenessProbe, api.ReadinessProbe} {
		w := want[p.HTTPGet.Path]
		delete(want, p.HTTPGet.Path)
		if p.InitialDelaySeconds != w.InitialDelaySeconds || p.PeriodSeconds != w.PeriodSeconds || p.HTTPGet.Port != "http" {
			t.Errorf("got %+v, want the guide's", p)
		}
	}
	if len(want) > 0 {
		t.Errorf("no probe of %v", want)
	}

	// The selectors find the pods.
	pods := map[string]any{}
	for k, v := range deployment.Spec.Template.Metadata.Labels {
		pods[k] = v
	}
	for kind, got := range map[string]any{
		"Deployment": deployment.Spec.Selector["matchLabels"], "PodDisruptionBudget": all["PodDisruptionBudget"].Spec.Selector["matchLabels"],
		"Service": all["Service"].Spec.Selector, "NetworkPolicy": all["NetworkPolicy"].Spec.PodSelector["matchLabels"],
	} {
		if diff := cmp.Diff(any(pods), got); diff != "" {
			t.Errorf("%s: want -, got +:\n%s", kind, diff)
		}
	}

	// Secrets come from files of the one volume, which must be readable by the group.
	for _, v := range spec.Volumes {
		if v.Name == "secrets" && v.Secret.DefaultMode != 0o440 {
			t.Errorf("got mode %o, want 440", v.Secret.DefaultMode)
		}
	}
}

// The ConfigMap with the deployment's own variables is one that production
// accepts, but for its placeholder domains.
func TestKubernetesConfiguration(t *testing.T) {
	all := manifests(t)
	env := map[string]string{}
	for k, v := range all["ConfigMap"].Data {
		env[k] = v
	}
	dir := t.TempDir()
	secrets := map[string]string{
		"SECRET_KEY_FILE":   "mX3v9QpLr7TzKfWb2NcYhD8sJgA5uEe1\n",
		"DATABASE_URL_FILE": "postgres://clinic:8f14e45fceea167a@db.internal/clinic?sslmode=verify-full\n",
		"REDIS_URL_FILE":    "rediss://:c9f0f895fb98ab91@redis.internal:6379/0\n",
	}
	for _, v := range all["Deployment"].Spec.Template.Spec.Containers[0].Env {
		file := filepath.Join(dir, filepath.Base(v.Value))
		if err := os.WriteFile(file, []byte(secrets[v.Name]), 0o600); err != nil {
			t.Fatal(err)
		}
		env[v.Name] = file
	}
	_, _, err := config.Load(env)
	var refused config.Errors
	if !errors.As(err, &refused) || len(refused) != 2 || refused[0].Variable != "FRONTEND_URL" || refused[1].Variable != "PRODUCTION_CORS_ORIGINS" {
		t.Errorf("got %v, want the two placeholder domains refused", err)
	}
	env["FRONTEND_URL"], env["PRODUCTION_CORS_ORIGINS"] = "https://app.clinic.test", "https://app.clinic.test"
	cfg, _, err := config.Load(env)
	if err != nil {
		t.Fatal(err)
	}
	if want := all["Deployment"].Spec.Replicas; cfg.Core.Replicas != want {
		t.Errorf("got REPLICAS=%d, want the deployment's %d", cfg.Core.Replicas, want)
	}
	if grace := all["Deployment"].Spec.Template.Spec.TerminationGracePeriodSeconds; cfg.Shutdown.DrainDelay.Seconds()+cfg.Shutdown.Timeout.Seconds() >= float64(grace) {
		t.Errorf("the drain outlasts the grace period of %d s", grace)
	}
}
