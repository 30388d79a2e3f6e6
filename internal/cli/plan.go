package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/cli/manifest"
	"mooring.dev/mooring/internal/cli/report"
)

// planOptions are the flags of plan.
type planOptions struct {
	target
	Files         []string
	Recursive     bool
	Output        string
	ClusterRef    string
	ShowUnchanged bool
	RefusalFails  bool
}

func (a App) planCommand() *cobra.Command {
	var o planOptions
	cmd := &cobra.Command{
		Use:   "plan -f FILE|DIR|- [--bootstrap-servers HOST:PORT,... | --cluster NAME]",
		Short: "Say what applying KafkaTopic manifests would do to Kafka",
		Long: `Say what applying KafkaTopic manifests would do to Kafka, and change nothing.

The manifests are judged as the API server would judge them: unknown fields, defaults, schema and rules. Then each topic is
looked at, the steps are planned as the operator plans them, and the brokers are asked whether they would accept each
(validateOnly). Lines begin with + for what is added, ~ for what becomes another, - for what goes, ! for what is
refused, and # for notes.

With --cluster, the KafkaCluster of the current kube context says how to reach Kafka, and the KafkaTopics there say which topics
are whose. Without it and without --bootstrap-servers, that is the KafkaCluster that each manifest refers to. With
--bootstrap-servers alone nobody knows whose a topic is: one that exists is planned as with adoption: Adopt.

Exit status: 0 no change; 2 changes or refusals; 1 an error: a manifest that the API server would refuse, a cluster that does
not answer, a topic that may not be looked at (and, with --fail-on-refusal, a refusal).`,
		Example: `  # what would a folder of manifests do?
  kubectl mooring plan -f topics/ --bootstrap-servers kafka-0:9092,kafka-1:9092

  # the same, as the operator sees it: with the KafkaCluster "default" of the current kube context
  kubectl mooring plan -f topics/ --recursive --cluster default

  # in CI: fail when a change would be refused, and keep the plan for other programs
  helm template . | kubectl mooring plan -f - --bootstrap-servers kafka:9093 --command-config client.properties --fail-on-refusal -o json`,
		Args: byFlag,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runPlan(cmd.Context(), &o) },
	}
	flags := cmd.Flags()
	flags.StringSliceVarP(&o.Files, "filename", "f", nil, "file or folder with manifests, YAML or JSON; - is standard input; can be given several times")
	flags.BoolVarP(&o.Recursive, "recursive", "R", false, "look in the folders below too")
	flags.StringVarP(&o.Output, "output", "o", "text", "text or json")
	flags.StringVar(&o.ClusterRef, "cluster-ref", "", "with --bootstrap-servers: plan only manifests whose spec.clusterRef.name is this one")
	flags.BoolVar(&o.ShowUnchanged, "show-unchanged", false, "in text, list topics without a change too")
	flags.BoolVar(&o.RefusalFails, "fail-on-refusal", false, "exit with 1, not 2, when something is refused")
	o.register(flags)
	return cmd
}

func (a App) runPlan(ctx context.Context, o *planOptions) error {
	if len(o.Files) == 0 {
		return errors.New("which manifests? name them with -f FILE, -f DIR or -f - for standard input")
	}
	if o.Output != "text" && o.Output != "json" {
		return fmt.Errorf("--output %s: want text or json", o.Output)
	}
	schema, err := manifest.Load()
	if err != nil {
		return err
	}
	inputs, err := a.readInputs("plan", o.Files, o.Recursive)
	if err != nil {
		return err
	}
	namespace := namespaceOf(o.Kube)
	var set manifest.Set
	for _, in := range inputs {
		set.Add(schema.Read(in.name, in.data, namespace))
	}
	set.CheckUnique()
	for _, note := range set.Notes {
		a.note("%s", note)
	}
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	plan := report.Plan{Ownership: report.OwnershipLive, Problems: set.Problems, RefusalFails: o.RefusalFails}
	if o.offline() {
		plan.Ownership = report.OwnershipAssumed
	}
	if len(plan.Problems) == 0 {
		if err := a.planTopics(ctx, o, schema, set.Topics, &plan); err != nil {
			plan.Failure = err.Error()
		}
	}
	return a.print(o, plan)
}

// print says what was found, and returns the exit status.
func (a App) print(o *planOptions, plan report.Plan) error {
	for _, p := range plan.Problems {
		a.complain("%s", p)
	}
	if plan.Failure != "" {
		a.complain("%s", plan.Failure)
	}
	for _, t := range plan.Topics {
		if t.Error != "" && o.Output == "json" {
			a.complain("KafkaTopic %s/%s: %s", t.Namespace, t.Name, t.Error)
		}
	}
	text := []byte(plan.Text(o.ShowUnchanged))
	if o.Output == "json" {
		var err error
		if text, err = plan.JSON(); err != nil {
			return err
		}
	}
	if _, err := a.Out.Write(text); err != nil {
		return err
	}
	if status := plan.ExitStatus(); status != report.ExitUnchanged {
		return exitStatus(status)
	}
	return nil
}

// planTopics plans what was read, one Kafka cluster after the other.
func (a App) planTopics(ctx context.Context, o *planOptions, schema *manifest.Schema, topics []manifest.Topic, plan *report.Plan) error {
	byCluster := make(map[string][]manifest.Topic)
	var clusters []string
	for _, t := range topics {
		name := t.KafkaTopic.Spec.ClusterRef.Name
		if wanted := o.wantedRef(); wanted != "" && name != wanted {
			plan.Notes = append(plan.Notes, fmt.Sprintf("not planned: KafkaTopic %s is for KafkaCluster %s", t.Name(), name))
			continue
		}
		if byCluster[name] == nil {
			clusters = append(clusters, name)
		}
		byCluster[name] = append(byCluster[name], t)
	}
	if o.offline() {
		return a.planOffline(ctx, o, schema, clusters, byCluster, plan)
	}
	if len(o.BootstrapServers) > 0 && len(clusters) > 1 {
		return fmt.Errorf("the manifests are for the KafkaClusters %v, and --bootstrap-servers are one cluster's", clusters)
	}
	if len(clusters) == 0 {
		return nil
	}
	k, err := a.Kube(o.Kube)
	if err != nil {
		return err
	}
	live, all, err := k.topics(ctx, namespacesOf(topics))
	if err != nil {
		return err
	}
	if !all {
		a.note("you may not list the KafkaTopics of all namespaces: one elsewhere that owns the same topic goes unnoticed")
	}
	for _, name := range clusters {
		if err := a.planLive(ctx, o, schema, k, name, live, byCluster[name], plan); err != nil {
			return err
		}
	}
	return nil
}

func (o *planOptions) wantedRef() string {
	if o.Cluster != "" {
		return o.Cluster
	}
	return o.ClusterRef
}

func (a App) planOffline(ctx context.Context, o *planOptions, schema *manifest.Schema, clusters []string, byCluster map[string][]manifest.Topic, plan *report.Plan) error {
	if len(clusters) > 1 {
		return fmt.Errorf("the manifests are for the KafkaClusters %v, and the plan is against one cluster; choose with --cluster-ref", clusters)
	}
	settings, err := a.settings(ctx, &o.target, nil, nil)
	if err != nil {
		return err
	}
	s, err := a.open(ctx, settings)
	if err != nil {
		return err
	}
	defer s.Close()
	var topics []manifest.Topic
	if len(clusters) == 1 {
		topics = byCluster[clusters[0]]
	}
	plan.Clusters = append(plan.Clusters, report.Cluster{ID: s.Info().ClusterID})
	p := &planner{schema: schema, admin: s, after: after(nil, topics, "")}
	plan.Topics, plan.Problems = p.planAll(ctx, topics)
	if slices.ContainsFunc(plan.Topics, func(t report.Topic) bool { return t.State == "Existing" }) {
		plan.Notes = append(plan.Notes, "without a kube context it is not known whose the existing topics are: they are planned as with adoption: Adopt, and configuration that a manifest no longer names is not seen")
	}
	return nil
}

func (a App) planLive(ctx context.Context, o *planOptions, schema *manifest.Schema, k *kube, name string, live []v1alpha1.KafkaTopic, topics []manifest.Topic, plan *report.Plan) error {
	cluster, err := k.cluster(ctx, name)
	if err != nil {
		return err
	}
	settings, err := a.settings(ctx, &o.target, k, cluster)
	if err != nil {
		return err
	}
	s, err := a.open(ctx, settings)
	if err != nil {
		return fmt.Errorf("KafkaCluster %s: %w", name, err)
	}
	defer s.Close()
	p := &planner{
		schema: schema, admin: s, cluster: cluster, live: make(map[string]*v1alpha1.KafkaTopic),
		after: after(live, topics, name), namespaces: make(map[string]consent),
	}
	for i := range live {
		p.live[nameOf(&live[i])] = &live[i]
	}
	if cluster.Spec.AllowedNamespaces != nil || len(cluster.Spec.TopicPolicies) > 0 {
		for _, namespace := range namespacesOf(topics) {
			labels, err := k.namespaceLabels(ctx, namespace)
			if err != nil {
				plan.Notes = append(plan.Notes, fmt.Sprintf("whether KafkaCluster %s takes topics of namespace %s, and its policies for them, is not known: %v", name, namespace, err))
				continue
			}
			p.namespaces[namespace] = consentOf(cluster, namespace, labels)
		}
	}
	planned, problems := p.planAll(ctx, topics)
	plan.Clusters = append(plan.Clusters, report.Cluster{Name: name, ID: s.Info().ClusterID})
	plan.Topics = append(plan.Topics, planned...)
	plan.Problems = append(plan.Problems, problems...)
	return nil
}

func namespacesOf(topics []manifest.Topic) []string {
	var namespaces []string
	for _, t := range topics {
		namespaces = append(namespaces, t.KafkaTopic.Namespace)
	}
	slices.Sort(namespaces)
	return slices.Compact(namespaces)
}
