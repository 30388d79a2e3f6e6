package local

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// KafkaVersion is the Apache Kafka that is run. pom.xml says the same (a test holds them together).
const KafkaVersion = "4.3.1"

//go:embed pom.xml
var pom []byte

//go:embed log4j2.xml
var log4jConfig []byte

// jarsDir is a folder of its own for each content of pom.xml: a fetched folder never changes, so that running brokers
// keep the jars they were started with, and its being there means that it is complete.
func jarsDir() (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(pom)
	return filepath.Join(cache, "kafka", KafkaVersion, "libs-"+hex.EncodeToString(sum[:6])), nil
}

// Fetch makes sure that the jars are in the cache and returns their folder. It uses Maven, and installs it where that
// can be done, only when they are not there yet. Two processes can call it at once: one fetches, the other waits.
func Fetch(ctx context.Context, progress func(string)) (string, error) {
	return fetch(ctx, newReporter(progress))
}

func fetch(ctx context.Context, r *reporter) (string, error) {
	dir, err := jarsDir()
	if err != nil {
		return "", err
	}
	if exists(dir) {
		return dir, nil
	}
	unlock, err := lock(ctx, filepath.Join(filepath.Dir(dir), "fetch.lock"), r)
	if err != nil {
		return "", err
	}
	defer unlock()
	if exists(dir) { // fetched while we waited for the lock
		return dir, nil
	}
	maven, err := findMaven(ctx, r)
	if err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(filepath.Dir(dir), "fetch-*")
	if err != nil {
		return "", fmt.Errorf("a folder to fetch jars into can't be made; set MOORING_CACHE to a folder that may be written: %w", err)
	}
	defer os.RemoveAll(work)
	err = r.During("fetching Apache Kafka "+KafkaVersion+" with Maven (about 54 MB)", func() error {
		return copyDependencies(ctx, maven, work)
	})
	if err != nil {
		return "", err
	}
	if err := os.Rename(filepath.Join(work, "libs"), dir); err != nil {
		return "", fmt.Errorf("the fetched jars can't be moved to %s; remove what is there: %w", dir, err)
	}
	return dir, nil
}

func copyDependencies(ctx context.Context, maven, work string) error {
	pomPath, libs := filepath.Join(work, "pom.xml"), filepath.Join(work, "libs")
	if err := writeAtomic(pomPath, pom, 0o644); err != nil {
		return err
	}
	var out bytes.Buffer
	cmd := exec.CommandContext(ctx, maven, "-q", "-B", "-f", pomPath,
		"dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory="+libs)
	cmd.Dir, cmd.Stdout, cmd.Stderr = work, &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("Maven could not fetch Apache Kafka's jars (%w); look at its words, at the network and at ~/.m2/settings.xml, and try again:\n%s",
			errors.Join(err, ctx.Err()), tail(out.String(), 20))
	}
	jars, err := filepath.Glob(filepath.Join(libs, "*.jar"))
	if err != nil || len(jars) == 0 {
		return fmt.Errorf("Maven ended without an error and left no jars in %s; run it without -q to see why: %s -f %s dependency:copy-dependencies", libs, maven, pomPath)
	}
	return nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// tail is the last n lines of a text.
func tail(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
