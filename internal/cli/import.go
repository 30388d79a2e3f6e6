package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/spf13/cobra"

	"mooring.dev/mooring/internal/cli/export"
	"mooring.dev/mooring/internal/cli/manifest"
	"mooring.dev/mooring/internal/cli/report"
	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/wirereq"
	"mooring.dev/mooring/internal/topic"
)

// importOptions are the flags of import.
type importOptions struct {
	target
	Topics, Exclude string
	ClusterRef      string
	OutputDir       string
	Overwrite       bool
}

func (a App) importCommand() *cobra.Command {
	var o importOptions
	cmd := &cobra.Command{
		Use:   "import [--bootstrap-servers HOST:PORT,... | --cluster NAME]",
		Short: "Write KafkaTopic manifests for the topics that are there",
		Long: `Write KafkaTopic manifests for the topics that are there, and change nothing.

A manifest says what its topic is, and names only the configuration that is set on the topic itself: what the topic inherits
from the brokers it goes on to inherit. Applying it changes nothing; "plan" says "no change" of it. Kafka's internal topics,
and those that begin with __, are left out.

metadata.name is the topic's name where that is one that Kubernetes takes. Otherwise it is made one, and spec.topicName has
the topic's.`,
		Example: `  # all topics, one file each
  kubectl mooring import --bootstrap-servers kafka-0:9092 --output-dir topics/

  # some of them, for the KafkaCluster "prod" and the namespace "shop", to standard output
  kubectl mooring import --cluster prod --topics 'orders\..*' --exclude '.*\.dlq' --namespace shop`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runImport(cmd.Context(), &o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Topics, "topics", "", "only topics whose whole name matches this regular expression (RE2)")
	flags.StringVar(&o.Exclude, "exclude", "", "no topics whose whole name matches this regular expression")
	flags.StringVar(&o.ClusterRef, "cluster-ref", "", "spec.clusterRef.name of the manifests; default: that of --cluster, or left out, which means the KafkaCluster default")
	flags.StringVar(&o.OutputDir, "output-dir", "", "folder to write one file for each topic to; it is made if it is not there")
	flags.BoolVar(&o.Overwrite, "overwrite", false, "replace files that are there and say something else")
	o.register(flags)
	return cmd
}

func (a App) runImport(ctx context.Context, o *importOptions) error {
	include, err := wholeName("--topics", o.Topics, ".*")
	if err != nil {
		return err
	}
	exclude, err := wholeName("--exclude", o.Exclude, "[^\\s\\S]")
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	s, err := a.openTarget(ctx, &o.target)
	if err != nil {
		return err
	}
	defer s.Close()
	all, err := s.topics(ctx)
	if err != nil {
		return fmt.Errorf("list the topics: %w", err)
	}
	names := a.importable(all)
	manifestNames := export.Names(names) // of all topics, so that a name does not depend on what else is asked for
	names = slices.DeleteFunc(names, func(name string) bool { return !include.MatchString(name) || exclude.MatchString(name) })

	observed, errs := observeAll(ctx, s, names)
	schema, err := manifest.Load()
	if err != nil {
		return err
	}
	var topics []export.Topic
	failed := 0
	for i, name := range names {
		t := export.FromObserved(name, manifestNames[name], observed[i], o.manifestOptions())
		err := errs[i]
		if err == nil {
			err = verify(schema, t, observed[i], s.Info())
		}
		if err != nil {
			a.complain("topic %s is left out: %v", name, err)
			failed++
			continue
		}
		topics = append(topics, t)
	}
	if err := a.writeTopics(o, topics); err != nil {
		return err
	}
	if failed > 0 {
		return exitStatus(report.ExitFailed)
	}
	return nil
}

// importable are the names of the topics that a manifest can be for, sorted.
func (a App) importable(all map[string]wirereq.Answer[topic.Observed]) []string {
	var names []string
	leftOut := make(map[string]int)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if why := export.LeftOut(name, all[name].Value.Internal); why != "" {
			leftOut[why]++
			continue
		}
		names = append(names, name)
	}
	for _, why := range slices.Sorted(maps.Keys(leftOut)) {
		a.note("left out: %d of the topics (%s)", leftOut[why], why)
	}
	return names
}

func (o *importOptions) manifestOptions() export.Options {
	ref := o.ClusterRef
	if ref == "" {
		ref = o.Cluster
	}
	if ref == "default" {
		ref = "" // as the CRD fills it in
	}
	return export.Options{Namespace: o.Kube.Namespace, ClusterRef: ref}
}

// wholeName compiles a regular expression that a name has to match as a whole.
func wholeName(flag, expression, otherwise string) (*regexp.Regexp, error) {
	if expression == "" {
		expression = otherwise
	}
	if _, err := regexp.Compile(expression); err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return regexp.Compile("^(?:" + expression + ")$")
}

// openTarget connects to the one cluster that the flags mean.
func (a App) openTarget(ctx context.Context, t *target) (*session, error) {
	if t.offline() {
		settings, err := a.settings(ctx, t, nil, nil)
		if err != nil {
			return nil, err
		}
		return a.open(ctx, settings)
	}
	if t.Cluster == "" {
		t.Cluster = "default"
	}
	k, err := a.Kube(t.Kube)
	if err != nil {
		return nil, err
	}
	cluster, err := k.cluster(ctx, t.Cluster)
	if err != nil {
		return nil, err
	}
	settings, err := a.settings(ctx, t, k, cluster)
	if err != nil {
		return nil, err
	}
	s, err := a.open(ctx, settings)
	if err != nil {
		return nil, fmt.Errorf("KafkaCluster %s: %w", t.Cluster, err)
	}
	return s, nil
}

// observeAll looks at topics, with all their configuration.
func observeAll(ctx context.Context, s *session, names []string) ([]topic.Observed, []error) {
	observed, errs := make([]topic.Observed, len(names)), make([]error, len(names))
	forEach(len(names), lookAtOnce, func(i int) {
		observed[i], errs[i] = s.Observe(ctx, names[i], nil, kafka.Cached())
		if errs[i] == nil && !observed[i].Exists() {
			errs[i] = errors.New("it was deleted a moment ago")
		}
	})
	return observed, errs
}

// verify holds a manifest to what import promises: the API server takes it, and applying it changes nothing.
func verify(schema *manifest.Schema, t export.Topic, o topic.Observed, info kafka.ClusterInfo) error {
	set := schema.Read(t.Name, []byte(t.YAML()), "default")
	if len(set.Problems) > 0 || len(set.Topics) != 1 {
		return fmt.Errorf("no manifest can say what it is: %v", set.Problems)
	}
	kt := set.Topics[0].KafkaTopic
	plan := topic.MakePlan(topic.FromSpec(kt), o, topic.PolicyFromSpec(kt, info.ClusterID, info.Cluster()))
	if !plan.Converged() {
		return fmt.Errorf("no manifest leaves it as it is: %v %v", topic.Lines(append(plan.Steps, plan.Proposed...)), plan.Refusals)
	}
	return nil
}

func (a App) writeTopics(o *importOptions, topics []export.Topic) error {
	if o.OutputDir == "" {
		if _, err := fmt.Fprint(a.Out, export.Documents(topics)); err != nil {
			return err
		}
		a.note("%d manifests", len(topics))
		return nil
	}
	if err := os.MkdirAll(o.OutputDir, 0o755); err != nil {
		return plainPathError(err)
	}
	for _, t := range topics {
		if err := writeNew(filepath.Join(o.OutputDir, t.Name+".yaml"), t.YAML(), o.Overwrite); err != nil {
			return err
		}
	}
	a.note("%d manifests in %s", len(topics), o.OutputDir)
	return nil
}
