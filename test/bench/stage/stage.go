// Package stage is what the benches of injection stand on: an API server, one Kafka broker that is kfake's, and bin/mooring as
// a process of its own, so that its memory and CPU are its own.
package stage

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/go-logr/logr"
	"github.com/twmb/franz-go/pkg/kfake"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/operator"
)

const (
	// OperatorNamespace is the operator's.
	OperatorNamespace = "mooring-system"
	// Namespace is where profiles and pods are.
	Namespace = "bench"
)

// Stage is one run's.
type Stage struct {
	Client     client.WithWatch
	Config     *rest.Config
	Kubeconfig string
	// Hooks are the webhooks of config/webhook, which call Hooks.LocalServingHost.
	Hooks *envtest.WebhookInstallOptions

	dir, bin string
	undo     []func() error
}

// New starts the API server and the broker, with the CRDs, the KafkaCluster default and the namespaces.
func New(ctx context.Context, name string) (*Stage, error) {
	ctrl.SetLogger(logr.Discard())
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "mooring-"+name+"-")
	if err != nil {
		return nil, err
	}
	s := &Stage{dir: dir, bin: filepath.Dir(self)}
	s.undo = append(s.undo, func() error { return os.RemoveAll(dir) })
	if err := s.start(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Close takes everything down, last started first.
func (s *Stage) Close() error {
	var errs []error
	for i := len(s.undo) - 1; i >= 0; i-- {
		errs = append(errs, s.undo[i]())
	}
	return errors.Join(errs...)
}

func (s *Stage) start(ctx context.Context) error {
	kube := filepath.Join(s.dir, "kube")
	s.undo = append(s.undo, func() error { return s.tool(context.Background(), "localkube", "down", "--dir", kube) })
	if err := s.tool(ctx, "localkube", "up", "--dir", kube, "--components", "etcd,kube-apiserver"); err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(kube, "state.json"))
	if err != nil {
		return err
	}
	var state struct{ Kubeconfig string }
	if err := json.Unmarshal(text, &state); err != nil {
		return err
	}
	s.Kubeconfig = state.Kubeconfig
	if s.Config, err = clientcmd.BuildConfigFromFlags("", s.Kubeconfig); err != nil {
		return err
	}
	s.Config.QPS = -1
	s.Config.WarningHandler = rest.NoWarnings{} // pods come with warnings, and printing them costs more than they do
	if s.Client, err = client.NewWithWatch(s.Config, client.Options{Scheme: operator.Scheme()}); err != nil {
		return err
	}
	if _, err := envtest.InstallCRDs(s.Config, envtest.CRDInstallOptions{Paths: []string{"config/crd/bases"}, ErrorIfPathMissing: true}); err != nil {
		return fmt.Errorf("install the CRDs: %w", err)
	}
	s.Hooks = &envtest.WebhookInstallOptions{Paths: []string{"config/webhook/manifests.yaml"}}
	if err := s.Hooks.PrepWithoutInstalling(); err != nil {
		return fmt.Errorf("prepare the webhooks: %w", err)
	}
	s.undo = append(s.undo, s.Hooks.Cleanup)
	return s.furnish(ctx)
}

func (s *Stage) furnish(ctx context.Context) error {
	brokers, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		return err
	}
	s.undo = append(s.undo, func() error { brokers.Close(); return nil })
	for _, o := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: OperatorNamespace}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: Namespace}},
		// Nothing makes ServiceAccounts here, and no pod is admitted without one.
		&corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: "default"}},
		&v1alpha1.KafkaCluster{ObjectMeta: metav1.ObjectMeta{Name: "default"}, Spec: v1alpha1.KafkaClusterSpec{BootstrapServers: brokers.ListenAddrs()}},
	} {
		if err := s.Client.Create(ctx, o); err != nil {
			return fmt.Errorf("create %s: %w", o.GetName(), err)
		}
	}
	return nil
}

// WebhookAddress is where the API server calls the webhooks.
func (s *Stage) WebhookAddress() string {
	return net.JoinHostPort(s.Hooks.LocalServingHost, strconv.Itoa(s.Hooks.LocalServingPort))
}

// InstallWebhooks makes the API server call them.
func (s *Stage) InstallWebhooks(ctx context.Context) error {
	for _, c := range s.Hooks.MutatingWebhooks {
		c.ResourceVersion = ""
		if err := s.Client.Create(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// RemoveWebhooks makes it call nobody again.
func (s *Stage) RemoveWebhooks(ctx context.Context) error {
	for _, c := range s.Hooks.MutatingWebhooks {
		if err := s.Client.Delete(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

func (s *Stage) tool(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, name), args...)
	cmd.Stderr = os.Stderr
	return cmd.Run()
}

// Profile is one with a shim, whose drain fits the default grace period.
func Profile(name string) *v1alpha1.ProducerProfile {
	p := &v1alpha1.ProducerProfile{ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: name}}
	p.Spec.Shim = &v1alpha1.ProducerShim{Listeners: v1alpha1.ShimKafka, Drain: &metav1.Duration{Duration: 20 * time.Second}}
	return p
}

// Pod asks for a profile; "" asks for none.
func Pod(name, profile string) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: name, Labels: map[string]string{"app": "checkout"}}}
	pod.Spec.Containers = []corev1.Container{{Name: "app", Image: "registry.example/app:1", Env: []corev1.EnvVar{
		{Name: "KAFKA_ACKS", Value: "1"}, {Name: "LOG_LEVEL", Value: "info"}}}}
	if profile != "" {
		pod.Annotations = map[string]string{v1alpha1.AnnotationProducerProfile: profile}
	}
	return pod
}
