package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
	ctrllog "sigs.k8s.io/controller-runtime/pkg/log"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
)

// kube is a Kubernetes cluster as the commands see it.
type kube struct {
	reader client.Reader
	// namespace of manifests that name none.
	namespace string
}

// loadKubeconfig reads the kubeconfig as kubectl does.
func loadKubeconfig(f kubeFlags) clientcmd.ClientConfig {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = f.Kubeconfig
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{CurrentContext: f.Context})
}

// namespaceOf is that of manifests that name none: the flag's, the current context's, or default.
func namespaceOf(f kubeFlags) string {
	if f.Namespace != "" {
		return f.Namespace
	}
	namespace, _, err := loadKubeconfig(f).Namespace()
	if err != nil || namespace == "" {
		return "default"
	}
	return namespace
}

func dialKube(f kubeFlags) (*kube, error) {
	// The libraries log what this program says in its own words.
	klog.SetLogger(logr.Discard())
	ctrllog.SetLogger(logr.Discard())
	config, err := loadKubeconfig(f).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("no Kubernetes cluster: %w; give --kubeconfig or --context, or --bootstrap-servers to do without", err)
	}
	config.WarningHandler = rest.NoWarnings{}
	scheme, err := newScheme()
	if err != nil {
		return nil, err
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("the Kubernetes cluster at %s: %w", config.Host, err)
	}
	return &kube{reader: c, namespace: namespaceOf(f)}, nil
}

func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	if err := corev1.AddToScheme(scheme); err != nil {
		return nil, err
	}
	return scheme, v1alpha1.AddToScheme(scheme)
}

// cluster reads a KafkaCluster.
func (k *kube) cluster(ctx context.Context, name string) (*v1alpha1.KafkaCluster, error) {
	var cluster v1alpha1.KafkaCluster
	err := k.reader.Get(ctx, client.ObjectKey{Name: name}, &cluster)
	switch {
	case notInstalled(err):
		return nil, errNotInstalled
	case apierrors.IsNotFound(err):
		return nil, fmt.Errorf("there is no KafkaCluster %s; create it, name another with --cluster, or give --bootstrap-servers", name)
	case err != nil:
		return nil, fmt.Errorf("read KafkaCluster %s: %w", name, err)
	}
	return &cluster, nil
}

// secrets reads the Secrets that a KafkaCluster refers to. One that is missing is not there; whoever wants it says so.
func (k *kube) secrets(ctx context.Context, cluster *v1alpha1.KafkaCluster, namespace string) (kafka.Secrets, error) {
	found := make(kafka.Secrets)
	for _, name := range kafka.SecretsOf(&cluster.Spec) {
		var secret corev1.Secret
		err := k.reader.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, &secret)
		switch {
		case apierrors.IsNotFound(err):
		case apierrors.IsForbidden(err):
			return nil, fmt.Errorf("KafkaCluster %s: you may not read its Secret %s/%s; give the connection with --bootstrap-servers and --command-config or the --tls and --sasl flags beside --cluster", cluster.Name, namespace, name)
		case err != nil:
			return nil, fmt.Errorf("read Secret %s/%s: %w", namespace, name, err)
		default:
			found[name] = secret.Data
		}
	}
	return found, nil
}

// topics lists the KafkaTopics that there are. Who may not list all namespaces gets those of the namespaces named, and false.
func (k *kube) topics(ctx context.Context, namespaces []string) (items []v1alpha1.KafkaTopic, all bool, err error) {
	var list v1alpha1.KafkaTopicList
	err = k.reader.List(ctx, &list)
	if err == nil {
		return list.Items, true, nil
	}
	if notInstalled(err) {
		return nil, false, errNotInstalled
	}
	if !apierrors.IsForbidden(err) {
		return nil, false, fmt.Errorf("list KafkaTopics: %w", err)
	}
	for _, namespace := range namespaces {
		var list v1alpha1.KafkaTopicList
		if err := k.reader.List(ctx, &list, client.InNamespace(namespace)); err != nil {
			return nil, false, fmt.Errorf("list KafkaTopics in namespace %s: %w", namespace, err)
		}
		items = append(items, list.Items...)
	}
	return items, false, nil
}

// namespaceLabels are what a KafkaCluster selects namespaces by.
func (k *kube) namespaceLabels(ctx context.Context, name string) (map[string]string, error) {
	var namespace corev1.Namespace
	if err := k.reader.Get(ctx, client.ObjectKey{Name: name}, &namespace); err != nil {
		return nil, err
	}
	return namespace.Labels, nil
}

// errNotInstalled is what the absence of the CRDs comes down to.
var errNotInstalled = errors.New("this Kubernetes cluster does not know Mooring's kinds; install its CRDs, or give --bootstrap-servers to do without")

func notInstalled(err error) bool {
	var discovery *apiutil.ErrResourceDiscoveryFailed
	if errors.As(err, &discovery) {
		for _, each := range *discovery {
			return meta.IsNoMatchError(each) || apierrors.IsNotFound(each)
		}
	}
	return meta.IsNoMatchError(err)
}
