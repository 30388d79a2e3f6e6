package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

func (s *stage) kubectlCommand(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.kubectlPath, args...)
	// What kubectl learns of an API server it keeps, by an address that is another server's the next time.
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.kubeconfig, "KUBECACHEDIR="+filepath.Join(s.dir, "kubectl-cache"))
	return cmd
}

// kubectl shows the command and what it prints.
func (s *stage) kubectl(ctx context.Context, args ...string) error {
	fmt.Println("$ kubectl " + strings.Join(args, " "))
	cmd := s.kubectlCommand(ctx, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("kubectl %s: %w", args[0], err)
	}
	return nil
}

// quietKubectl shows what a command prints only when it fails.
func (s *stage) quietKubectl(ctx context.Context, args ...string) error {
	output, err := s.kubectlCommand(ctx, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, output)
	}
	return nil
}

// apply shows a manifest and applies it. It returns what the API server said when it refused it.
func (s *stage) apply(ctx context.Context, manifest string) (refusal string, err error) {
	fmt.Println("$ kubectl apply -f - <<EOF\n" + strings.TrimSpace(manifest) + "\nEOF")
	cmd := s.kubectlCommand(ctx, "apply", "-f", "-")
	cmd.Stdin = strings.NewReader(manifest)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	err = cmd.Run()
	fmt.Print(output.String())
	if err != nil && ctx.Err() == nil {
		return output.String(), nil
	}
	return "", err
}

// waitFor polls a field of an object until it has a value, with a bound.
func (s *stage) waitFor(ctx context.Context, object, path, want string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	got := ""
	for {
		output, err := s.kubectlCommand(ctx, "get", object, "-n", s.namespace, "-o", "jsonpath="+path).Output()
		if err == nil {
			got = string(output)
		}
		if err == nil && got == want {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%s: %s is %q and not %q; the operator's log is %s", object, path, got, want, s.operatorLog)
		}
	}
}
