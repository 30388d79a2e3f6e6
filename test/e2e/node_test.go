//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
)

// operatorNamespace is where config/default installs the operator.
const operatorNamespace = "mooring-system"

// Node is a cluster of one node, and a client that reads it without a cache.
type Node struct {
	client.WithWatch
	// HostAddress is this machine's, as pods reach it.
	HostAddress string
	kubeconfig  string
	kubectl     string
}

func nodeDir() string { return filepath.Join(dir, "kube") }

// StartNode starts a control plane and a node with localkube, whose steps it prints.
func StartNode(ctx context.Context) *Node {
	cmd := exec.CommandContext(ctx, tool("localkube"), "up", "--node", "--dir", nodeDir(), "--source", absolute(filepath.Join(root, "hack", "localkube")))
	cmd.Stderr = lines("node")
	Expect(cmd.Run()).To(Succeed(), "localkube up --node; its lines above say why")
	content, err := os.ReadFile(filepath.Join(nodeDir(), "state.json"))
	Expect(err).NotTo(HaveOccurred())
	var state struct {
		BinaryDir, Kubeconfig string
		Layout                struct{ AdvertiseAddress string }
	}
	Expect(json.Unmarshal(content, &state)).To(Succeed())
	n := &Node{HostAddress: state.Layout.AdvertiseAddress, kubeconfig: state.Kubeconfig, kubectl: filepath.Join(state.BinaryDir, "kubectl")}
	config, err := clientcmd.BuildConfigFromFlags("", n.kubeconfig)
	Expect(err).NotTo(HaveOccurred())
	config.QPS, config.Burst, config.WarningHandler = -1, -1, rest.NoWarnings{}
	scheme := runtime.NewScheme()
	Expect(clientgoscheme.AddToScheme(scheme)).To(Succeed())
	Expect(v1alpha1.AddToScheme(scheme)).To(Succeed())
	n.WithWatch, err = client.NewWithWatch(config, client.Options{Scheme: scheme})
	Expect(err).NotTo(HaveOccurred())
	return n
}

// Stop takes the node down, with all that runs on it.
func (n *Node) Stop(ctx context.Context) {
	cmd := exec.CommandContext(ctx, tool("localkube"), "down", "--dir", nodeDir())
	cmd.Stderr = lines("node")
	Expect(cmd.Run()).To(Succeed(), "localkube down; its lines above say why")
}

// Load puts an image's archive where pods find it.
func (n *Node) Load(ctx context.Context, archive string) {
	GinkgoHelper()
	began := time.Now()
	run(ctx, "", tool("localkube"), "load", "--dir", nodeDir(), archive)
	say("loaded %s in %s", filepath.Base(archive), time.Since(began).Round(100*time.Millisecond))
}

// Program makes an image of a Go main package and loads it. Pods use it under the name that is returned.
//
//	node.Program(ctx, "probe", filepath.Join(root, "hack/image"), "./probe")
func (n *Node) Program(ctx context.Context, name, moduleDir, pkg string) string {
	GinkgoHelper()
	reference := "e2e/" + name + ":dev"
	n.Load(ctx, image(ctx, moduleDir, reference, pkg))
	return reference
}

// Install applies config/default as users do, and waits until all replicas are ready.
func (n *Node) Install(ctx context.Context) {
	GinkgoHelper()
	began := time.Now()
	n.Kubectl(ctx, "apply", "--server-side", "-k", filepath.Join(root, "config", "default"))
	say("applied config/default in %s", time.Since(began).Round(100*time.Millisecond))
	n.Kubectl(ctx, "-n", operatorNamespace, "rollout", "status", "deployment/mooring", "--timeout=2m")
	say("the operator's replicas are ready %s after the apply began", time.Since(began).Round(100*time.Millisecond))
}

// Kubectl runs kubectl as cluster admin, which has to work, and returns its standard output.
func (n *Node) Kubectl(ctx context.Context, args ...string) string {
	GinkgoHelper()
	output, err := n.TryKubectl(ctx, "", args...)
	Expect(err).NotTo(HaveOccurred(), "kubectl %s", strings.Join(args, " "))
	return output
}

// TryKubectl is Kubectl for what may fail, and with standard input.
func (n *Node) TryKubectl(ctx context.Context, stdin string, args ...string) (string, error) {
	return try(ctx, "", strings.NewReader(stdin), n.kubectl, append([]string{"--kubeconfig", n.kubeconfig}, args...)...)
}

// Describe is for a person who wonders why a spec failed.
func (n *Node) Describe(ctx context.Context) string {
	var all []string
	for _, args := range [][]string{
		{"get", "pods", "-A", "-o", "wide"},
		{"get", "kafkaclusters,kafkatopics,producerprofiles", "-A"},
		{"get", "events", "-A", "--sort-by=.lastTimestamp"},
		{"-n", operatorNamespace, "logs", "deployment/mooring", "--all-pods", "--tail=30"},
	} {
		output, err := n.TryKubectl(ctx, "", args...)
		if err != nil {
			output += err.Error()
		}
		all = append(all, "$ kubectl "+strings.Join(args, " ")+"\n"+output)
	}
	return strings.Join(all, "\n")
}

// lines prints what a program writes, line by line.
func lines(name string) io.Writer {
	reader, writer := io.Pipe()
	go func() {
		var rest string
		buffer := make([]byte, 4096)
		for {
			count, err := reader.Read(buffer)
			rest += string(buffer[:count])
			for {
				line, after, found := strings.Cut(rest, "\n")
				if !found {
					break
				}
				say("%s: %s", name, strings.TrimPrefix(line, "localkube: "))
				rest = after
			}
			if err != nil {
				return
			}
		}
	}()
	return writer
}

func absolute(path string) string {
	abs, err := filepath.Abs(path)
	Expect(err).NotTo(HaveOccurred())
	return abs
}
