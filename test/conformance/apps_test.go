//go:build conformance

package conformance

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/producer"
)

//go:embed apps
var appSources embed.FS

// app is an application of a few lines that starts its framework with nothing but the environment, and prints what the
// KafkaProducer that the framework made was configured with.
type app struct {
	name, framework string
	client          producer.Client
	// goals of Maven; command to start what they build.
	goals   []string
	command func(dir string) []string
	// own are properties that the framework makes something of its own of.
	own map[string]func(string) string
}

var apps = []app{
	{
		name: "spring", framework: "Spring Boot 4.0.0", client: producer.ClientSpring,
		goals: []string{"compile", "dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory=target/libs"},
		command: func(dir string) []string {
			classes := filepath.Join(dir, "target", "classes") + string(os.PathListSeparator) + filepath.Join(dir, "target", "libs", "*")
			return []string{"-cp", classes, "dev.mooring.conformance.App"}
		},
		own: map[string]func(string) string{"client.id": func(id string) string { return id + "-1" }}, // as the rendering notes
	},
	{
		name: "quarkus", framework: "Quarkus 3.27.0 with SmallRye Reactive Messaging", client: producer.ClientMicroProfile,
		goals: []string{"package", "-Dquarkus.analytics.disabled=true"},
		command: func(dir string) []string {
			return []string{"-jar", filepath.Join(dir, "target", "quarkus-app", "quarkus-run.jar")}
		},
	},
}

// appProfiles are what the applications are started with. Transactions are left to TestProduce: frameworks make the IDs.
var appProfiles = []string{
	"guarantee: AtMostOnce",
	"{guarantee: AtLeastOnce, ordering: Strict}",
	"guarantee: Idempotent",
	`{guarantee: Idempotent, delivery: {maxInFlightRequests: 4, deliveryTimeout: 99s, requestTimeout: 20s, retryBackoff: 250ms},
	  batching: {linger: 7ms, batchSize: 64Ki, bufferMemory: 64Mi, maxRequestSize: 2Mi, compression: lz4}, partitioner: RoundRobin,
	  connections: {metadataMaxAge: 2m, idleTimeout: 8m}, properties: {client.id: checkout, max.block.ms: 30000, retry.backoff.max.ms: 5000, client.dns.lookup: use_all_dns_ips}}`,
}

// A framework that starts with only the rendered environment configures its producer with every property of the profile.
func TestFrameworks(t *testing.T) {
	cluster := &v1alpha1.KafkaCluster{Spec: v1alpha1.KafkaClusterSpec{BootstrapServers: []string{"127.0.0.1:9092", "127.0.0.1:9093"}}}
	for _, a := range apps {
		t.Run(a.name, func(t *testing.T) {
			dir := a.build(t)
			begin, compared, differences := time.Now(), 0, 0
			for _, text := range appProfiles {
				var p v1alpha1.ProducerProfile
				if err := yaml.UnmarshalStrict([]byte(text), &p.Spec); err != nil {
					t.Fatal(err)
				}
				config := producer.Resolve(&p, cluster, "shop")
				if findings := producer.Validate(config); producer.HasErrors(findings) {
					t.Fatalf("the profile is not valid: %v", findings)
				}
				effective := a.start(t, dir, config)
				for name, want := range config.Properties() {
					compared++
					want = asPrinted(name, want)
					if made := a.own[name]; made != nil {
						want = made(want)
					}
					if got := effective[name]; got != want {
						differences++
						t.Errorf("%s: %s is %q, and the profile asks for %q\n\tof %s", a.framework, name, got, want, text)
					}
				}
			}
			say("conformance %s: %d profiles, %d properties compared, %d differences, %.1f s", a.framework, len(appProfiles), compared, differences, time.Since(begin).Seconds())
		})
	}
}

// build builds the application, once for each content of its sources.
func (a app) build(t *testing.T) string {
	t.Helper()
	root := "apps/" + a.name
	dir := cacheDir(t, "apps", a.name, hashOf(t, appSources, root))
	project, built := filepath.Join(dir, "src", "apps", a.name), filepath.Join(dir, "built")
	if _, err := os.Stat(built); err == nil {
		return project
	}
	if err := os.CopyFS(filepath.Join(dir, "src"), appSources); err != nil && !errors.Is(err, fs.ErrExist) {
		t.Fatal(err)
	}
	maven := exec.Command(lookPath(t, "mvn", "maven default-jdk-headless"), append([]string{"-q", "-B"}, a.goals...)...)
	maven.Dir = project
	during(t, "building an application on "+a.framework+" with Maven (the first time fetches it)", maven)
	if err := os.WriteFile(built, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	return project
}

// start starts the application with the rendered environment and no other, and returns what it prints of its producer.
func (a app) start(t *testing.T, dir string, config producer.Config) map[string]string {
	t.Helper()
	r, err := producer.Render(config, a.client)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), silence)
	defer cancel()
	cmd := exec.CommandContext(ctx, lookPath(t, "java", "default-jdk-headless"), append([]string{"-Xmx256m"}, a.command(dir)...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	for _, e := range r.Env {
		cmd.Env = append(cmd.Env, e.Name+"="+e.Value)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s does not start with what is rendered for %s: %v\n%s", a.framework, a.client, err, out)
	}
	effective := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		if pair, ok := strings.CutPrefix(strings.TrimRight(line, "\r\n"), "effective "); ok {
			name, value, _ := strings.Cut(pair, "=")
			effective[name] = value
		}
	}
	if len(effective) < 50 {
		t.Fatalf("%s printed %d properties, and a producer has more; what it said:\n%s", a.framework, len(effective), out)
	}
	return effective
}

// asPrinted is a property as Java prints its parsed value.
func asPrinted(name, text string) string {
	p, _ := producer.PropertyOf(name)
	switch {
	case name == "acks" && text == "all":
		return "-1" // ProducerConfig parses it to the number
	case p.Type == producer.List:
		return fmt.Sprintf("[%s]", strings.Join(strings.Split(text, ","), ", "))
	case p.Type == producer.Class:
		return "class " + text
	}
	return text
}
