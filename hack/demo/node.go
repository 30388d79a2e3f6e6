package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// The image of the application that the demo runs: the tests' producer, a plain client that knows nothing of Mooring.
const (
	checkoutImage   = "demo/checkout:dev"
	checkoutPackage = "./test/e2e/apps/producer"
)

// whyNoNode says why no node can run on this machine; it is empty when one can.
func (s *stage) whyNoNode(ctx context.Context) string {
	if os.Getenv("NODE") == "0" {
		return "NODE=0 says so"
	}
	output, err := exec.CommandContext(ctx, filepath.Join(s.bin, "localkube"), "check-node", "--install").CombinedOutput()
	if err == nil {
		return ""
	}
	if lines := strings.Split(strings.TrimSpace(string(output)), "\n"); lines[len(lines)-1] != "" {
		return strings.TrimPrefix(lines[len(lines)-1], "localkube: ")
	}
	return err.Error()
}

// installOperator builds the images, and installs the operator as users do. It is the CRDs and the operator in one.
func (s *stage) installOperator(ctx context.Context) error {
	say("Building the images of the operator and of an application, without Docker and without a registry")
	s.operatorLog = "what 'kubectl -n mooring-system logs deployment/mooring' says"
	for _, image := range []struct {
		name     string
		packages []string
	}{
		{"mooring:dev", []string{"./cmd/mooring", "./cmd/mooring-shim", "./cmd/mooring-schemas"}},
		{checkoutImage, []string{checkoutPackage}},
	} {
		archive := filepath.Join(s.dir, filepath.Base(image.packages[0])+".tar")
		args := append([]string{"--name", image.name, "--platforms", "linux/" + runtime.GOARCH, "--archive", archive}, image.packages...)
		if err := s.toolContext(ctx, "image", args...); err != nil {
			return err
		}
		if err := s.toolContext(ctx, "localkube", "load", "--dir", filepath.Join(s.dir, "kube"), archive); err != nil {
			return err
		}
	}
	say("Installing the operator: CRDs, RBAC, webhooks, two replicas")
	fmt.Println("$ kubectl apply -k config/default")
	if err := s.quietKubectl(ctx, "apply", "--server-side", "-k", "config/default"); err != nil {
		return err
	}
	if err := s.quietKubectl(ctx, "-n", "mooring-system", "rollout", "status", "deployment/mooring", "--timeout=2m"); err != nil {
		return err
	}
	return s.kubectl(ctx, "-n", "mooring-system", "get", "pods")
}

// operatorWords are the operator's last, for a person who wonders why the tour failed: its pods are about to go.
func (s *stage) operatorWords() {
	if s.noNode != "" || !s.ownCluster {
		return
	}
	ctx, cancel := takeDownContext()
	defer cancel()
	output, err := s.kubectlCommand(ctx, "-n", "mooring-system", "logs", "deployment/mooring", "--all-pods", "--tail=20").CombinedOutput()
	if err == nil {
		fmt.Fprintf(os.Stderr, "the operator's last lines:\n%s\n", output)
	}
}
