package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
)

// minimumJava is what Kafka's brokers ask for.
const minimumJava = 17

// findJava returns a java that is new enough, installing one where that can be done.
func findJava(ctx context.Context, r *reporter) (string, error) {
	java, version, err := lookupJava(ctx)
	if err == nil && version >= minimumJava {
		return java, nil
	}
	if err == nil {
		r.Sayf("%s is Java %d, and Kafka needs %d", java, version, minimumJava)
	}
	if err := install(ctx, r, "a Java runtime", "default-jre-headless"); err != nil {
		return "", err
	}
	java, version, err = lookupJava(ctx)
	if err != nil {
		return "", fmt.Errorf("a Java runtime was installed and still does not run; put a java of version %d or newer on the PATH: %w", minimumJava, err)
	}
	if version < minimumJava {
		return "", fmt.Errorf("%s is Java %d and Kafka needs %d or newer; put a newer java first on the PATH, or set JAVA_HOME", java, version, minimumJava)
	}
	return java, nil
}

func lookupJava(ctx context.Context) (path string, version int, err error) {
	path = filepath.Join(os.Getenv("JAVA_HOME"), "bin", "java")
	if os.Getenv("JAVA_HOME") == "" || !exists(path) {
		if path, err = exec.LookPath("java"); err != nil {
			return "", 0, err
		}
	}
	out, err := exec.CommandContext(ctx, path, "-version").CombinedOutput()
	if err != nil {
		return "", 0, fmt.Errorf("%s -version failed: %w: %s", path, err, tail(string(out), 3))
	}
	version, err = parseJavaVersion(string(out))
	return path, version, err
}

var javaVersion = regexp.MustCompile(`version "(?:1\.)?([0-9]+)`)

// parseJavaVersion reads the major version: 17 from "17.0.15", 8 from "1.8.0_412".
func parseJavaVersion(out string) (int, error) {
	m := javaVersion.FindStringSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("java -version named no version: %q", out)
	}
	return strconv.Atoi(m[1])
}

func findMaven(ctx context.Context, r *reporter) (string, error) {
	if maven, err := exec.LookPath("mvn"); err == nil {
		return maven, nil
	}
	// Maven is itself a Java program; asked for together, apt-get works once.
	if err := install(ctx, r, "Maven", "default-jre-headless", "maven"); err != nil {
		return "", err
	}
	maven, err := exec.LookPath("mvn")
	if err != nil {
		return "", fmt.Errorf("Maven was installed and is not on the PATH; add its folder (usually /usr/bin): %w", err)
	}
	return maven, nil
}

// install gets packages from Debian, where we may; elsewhere the error names the command for a person to run.
func install(ctx context.Context, r *reporter, what string, packages ...string) error {
	names := ""
	for _, p := range packages {
		names += " " + p
	}
	apt, err := exec.LookPath("apt-get")
	switch {
	case err != nil:
		return fmt.Errorf("%s is missing here; install it with this system's package manager (Debian calls it%s) and put it on the PATH", what, names)
	case os.Geteuid() != 0:
		return fmt.Errorf("%s is missing here, and only root may install it; run: sudo apt-get install -y%s", what, names)
	}
	return r.During("installing"+names+" with apt-get", func() error {
		err := aptGet(ctx, apt, "update")
		if err == nil {
			err = aptGet(ctx, apt, append([]string{"install", "-y", "--no-install-recommends"}, packages...)...)
		}
		if err != nil {
			return fmt.Errorf("%s could not be installed; run 'apt-get install -y%s' by hand and read what it says: %w", what, names, err)
		}
		return nil
	})
}

func aptGet(ctx context.Context, apt string, args ...string) error {
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, apt, args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("apt-get %s: %w:\n%s", args[0], errors.Join(err, ctx.Err()), tail(out.String(), 10))
	}
	return nil
}
