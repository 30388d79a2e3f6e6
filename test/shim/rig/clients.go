package rig

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"mooring.dev/mooring/hack/localkafka/local"
)

// ErrMissing is why clients of a language cannot be had here: a tool is missing, or its registry does not answer.
var ErrMissing = errors.New("cannot be had here")

// Python makes a virtual environment with the requirements, once for each content of them, and returns its interpreter.
func Python(ctx context.Context, requirements string) (string, error) {
	dir, err := made("python", requirements, func(dir string) error {
		python, err := exec.LookPath("python3")
		if err != nil {
			return fmt.Errorf("Python %w: install python3 and python3-venv", ErrMissing)
		}
		if err := step(ctx, dir, "making a virtual environment for Python", python, "-m", "venv", "venv"); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, "requirements.txt"), []byte(requirements), 0o644); err != nil {
			return err
		}
		return step(ctx, dir, "installing "+strings.Join(strings.Fields(requirements), ", ")+" with pip",
			filepath.Join(dir, "venv", "bin", "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt")
	})
	return filepath.Join(dir, "venv", "bin", "python"), err
}

// Node installs packages of npm, once for each content of their names, and returns node and the folder to start it in.
func Node(ctx context.Context, packages ...string) (node, dir string, err error) {
	if node, err = exec.LookPath("node"); err != nil {
		return "", "", fmt.Errorf("Node.js %w: install nodejs and npm", ErrMissing)
	}
	dir, err = made("node", strings.Join(packages, "\n"), func(dir string) error {
		npm, err := exec.LookPath("npm")
		if err != nil {
			return fmt.Errorf("npm %w: install nodejs and npm", ErrMissing)
		}
		if err := os.WriteFile(filepath.Join(dir, "package.json"), []byte(`{"private": true}`), 0o644); err != nil {
			return err
		}
		return step(ctx, dir, "installing "+strings.Join(packages, ", ")+" with npm", npm,
			append([]string{"install", "--no-audit", "--no-fund", "--loglevel=error"}, packages...)...)
	})
	return node, dir, err
}

// Java is how a program of one source file is started with Apache Kafka's own jars.
func Java(ctx context.Context, source string, args ...string) (*exec.Cmd, error) {
	java, err := exec.LookPath("java")
	if err != nil {
		return nil, fmt.Errorf("Java %w: install a JDK (17 or later)", ErrMissing)
	}
	jars, err := local.Fetch(ctx, func(line string) { Say("%s", line) })
	if err != nil {
		return nil, fmt.Errorf("Kafka's jars %w: %w", ErrMissing, err)
	}
	options := []string{"-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", filepath.Join(jars, "*"), source}
	return exec.Command(java, append(options, args...)...), nil
}

// made is the folder in the cache for a kind and a content, which is made when it is not there yet.
func made(kind, content string, make func(dir string) error) (string, error) {
	cache, err := local.CacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(content))
	dir := filepath.Join(cache, "shim-clients", kind, hex.EncodeToString(sum[:6]))
	built := filepath.Join(dir, "built")
	if _, err := os.Stat(built); err == nil {
		return dir, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	if err := make(dir); err != nil {
		return "", err
	}
	return dir, os.WriteFile(built, nil, 0o644)
}

// step runs a command of the set-up, and says every few seconds that it still runs.
func step(ctx context.Context, dir, what, program string, args ...string) error {
	Say("%s ...", what)
	begin := time.Now()
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	beat := time.NewTicker(5 * time.Second)
	defer beat.Stop()
	for {
		select {
		case err := <-done:
			if err != nil {
				return fmt.Errorf("%s: %w: %w; what it said:\n%s", what, ErrMissing, err, out.String())
			}
			Say("%s: done in %.1f s", what, time.Since(begin).Seconds())
			return nil
		case <-beat.C:
			Say("%s ... still at it after %.0f s", what, time.Since(begin).Seconds())
		}
	}
}
