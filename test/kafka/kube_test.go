//go:build kafka

package kafka

import (
	"fmt"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"mooring.dev/mooring/api/v1alpha1"
)

const (
	// operatorNamespace is where the operator reads Secrets.
	operatorNamespace = "mooring-system"
	// topicNamespace is where the specs' KafkaTopics live.
	topicNamespace = "teams"
)

// runID keeps the names of two runs apart, on a cluster that outlives them.
var runID = fmt.Sprintf("%x", time.Now().UnixNano()/1e6%0xffffff)

// Kube is an API server with the CRDs, and a client that reads it without a cache.
type Kube struct {
	client.Client
	environment *envtest.Environment
}

// StartKube starts etcd and kube-apiserver from the assets, and installs the CRDs.
func StartKube(assets string) *Kube {
	say("kube: starting etcd and kube-apiserver")
	begin := time.Now()
	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	k := &Kube{environment: &envtest.Environment{
		Scheme:                   scheme,
		BinaryAssetsDirectory:    assets,
		CRDDirectoryPaths:        []string{filepath.Join("..", "..", "config", "crd", "bases")},
		ErrorIfCRDPathMissing:    true,
		ControlPlaneStartTimeout: 2 * time.Minute,
		ControlPlaneStopTimeout:  time.Minute,
	}}
	config, err := k.environment.Start()
	if err != nil {
		_ = k.environment.Stop() // whatever of it runs; the error that matters is the one of Start
		Fail(err.Error())
	}
	config.QPS, config.Burst = -1, -1
	k.Client, err = client.New(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	for _, name := range []string{operatorNamespace, topicNamespace} {
		namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
		Expect(k.Create(suiteContext(), namespace)).To(Succeed())
	}
	say("kube: ready in %s", time.Since(begin).Round(100*time.Millisecond))
	return k
}

// Kubeconfig is for the operator.
func (k *Kube) Kubeconfig() []byte { return k.environment.KubeConfig }

// Stop ends etcd and kube-apiserver.
func (k *Kube) Stop() { Expect(k.environment.Stop()).To(Succeed()) }

// eventsOf counts the Events about an object with this reason. A series counts as often as it says.
func (k *Kube) eventsOf(g Gomega, o client.Object, reason string) int {
	var list eventsv1.EventList
	g.Expect(k.List(suiteContext(), &list)).To(Succeed())
	count := 0
	for _, e := range list.Items {
		if e.Regarding.UID != o.GetUID() || e.Reason != reason {
			continue
		}
		count++
		if e.Series != nil {
			count += int(e.Series.Count) - 1
		}
	}
	return count
}
