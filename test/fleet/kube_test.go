//go:build fleet

package fleet

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"mooring.dev/mooring/internal/operator"
)

// root is the repository, from the folder that go test runs in.
const root = "../.."

func program(name string) string { return filepath.Join(dir, "bin", name) }

// buildPrograms builds what runs as processes, as it is now.
func buildPrograms(ctx context.Context) {
	begin := time.Now()
	run(ctx, filepath.Join(root, "hack", "localkube"), "go", "build", "-trimpath", "-o", program("localkube"), ".")
	run(ctx, root, "go", "build", "-trimpath", "-o", program("mooring"), "./cmd/mooring")
	say("built localkube and mooring in %s", time.Since(begin).Round(100*time.Millisecond))
}

func run(ctx context.Context, workDir, name string, args ...string) {
	GinkgoHelper()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = workDir
	output, err := cmd.CombinedOutput()
	Expect(err).NotTo(HaveOccurred(), "%s %s\n%s", filepath.Base(name), strings.Join(args, " "), output)
}

// Kube is a control plane with the CRDs, and a client that reads it without a cache.
type Kube struct {
	client.WithWatch
	config     *rest.Config
	kubeconfig string
	dir        string
}

// StartKube starts etcd, kube-apiserver and kube-controller-manager.
func StartKube(ctx context.Context) {
	begin := time.Now()
	k := &Kube{dir: filepath.Join(dir, "kube")}
	kube = k // AfterSuite stops what came up, also when the rest of it did not
	run(ctx, "", program("localkube"), "up", "--dir", k.dir, "--components", "etcd,kube-apiserver,kube-controller-manager")
	text, err := os.ReadFile(filepath.Join(k.dir, "state.json"))
	Expect(err).NotTo(HaveOccurred())
	var state struct{ Kubeconfig string }
	Expect(json.Unmarshal(text, &state)).To(Succeed())
	k.kubeconfig = state.Kubeconfig
	k.config, err = clientcmd.BuildConfigFromFlags("", k.kubeconfig)
	Expect(err).NotTo(HaveOccurred())
	k.config.QPS = -1
	k.WithWatch, err = client.NewWithWatch(k.config, client.Options{Scheme: operator.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	_, err = envtest.InstallCRDs(k.config, envtest.CRDInstallOptions{Paths: []string{filepath.Join(root, "config", "crd", "bases")}, ErrorIfPathMissing: true})
	Expect(err).NotTo(HaveOccurred())
	say("the control plane is ready in %s", time.Since(begin).Round(100*time.Millisecond))
}

// Stop ends the control plane and removes its data.
func (k *Kube) Stop(ctx context.Context) {
	run(ctx, "", program("localkube"), "down", "--dir", k.dir)
}

// prepareWebhooks reads config/webhook, and makes a certificate for the address that the API server calls: there is no
// Service without a node.
func prepareWebhooks() *envtest.WebhookInstallOptions {
	GinkgoHelper()
	o := &envtest.WebhookInstallOptions{Paths: []string{filepath.Join(root, "config", "webhook", "manifests.yaml")}}
	Expect(o.PrepWithoutInstalling()).To(Succeed())
	DeferCleanup(o.Cleanup)
	return o
}

// installWebhooks tells the API server to call the address.
func installWebhooks(ctx context.Context, o *envtest.WebhookInstallOptions) {
	GinkgoHelper()
	for _, c := range o.ValidatingWebhooks {
		expectCreated(ctx, c)
	}
	for _, c := range o.MutatingWebhooks {
		for _, w := range c.Webhooks {
			Expect(*w.FailurePolicy).To(Equal(admissionregistrationv1.Fail), "%s lets pods in without a contract", w.Name)
		}
		expectCreated(ctx, c)
	}
}

func addressOf(o *envtest.WebhookInstallOptions) string {
	return net.JoinHostPort(o.LocalServingHost, strconv.Itoa(o.LocalServingPort))
}

func expectCreated(ctx context.Context, o client.Object) {
	GinkgoHelper()
	Expect(kube.Create(ctx, o)).To(Succeed(), "create %T %s", o, o.GetName())
}
