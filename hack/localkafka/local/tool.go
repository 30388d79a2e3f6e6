package local

import (
	"context"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
)

// Where a console tool takes --bootstrap-server, which localkafka adds where it is missing.
type bootstrapPlace string

const (
	bootstrapFirst bootstrapPlace = "first" // before a subcommand, or anywhere
	bootstrapLast  bootstrapPlace = "last"  // after the subcommand
	bootstrapNever bootstrapPlace = "never"
)

type tool struct {
	class     string
	bootstrap bootstrapPlace
}

const toolsPackage = "org.apache.kafka.tools."

var tools = map[string]tool{
	"kafka-acls":                 {toolsPackage + "AclCommand", bootstrapFirst},
	"kafka-broker-api-versions":  {toolsPackage + "BrokerApiVersionsCommand", bootstrapFirst},
	"kafka-client-metrics":       {toolsPackage + "ClientMetricsCommand", bootstrapFirst},
	"kafka-cluster":              {toolsPackage + "ClusterTool", bootstrapLast},
	"kafka-configs":              {"kafka.admin.ConfigCommand", bootstrapFirst},
	"kafka-console-consumer":     {toolsPackage + "consumer.ConsoleConsumer", bootstrapFirst},
	"kafka-console-producer":     {toolsPackage + "ConsoleProducer", bootstrapFirst},
	"kafka-consumer-groups":      {toolsPackage + "consumer.group.ConsumerGroupCommand", bootstrapFirst},
	"kafka-delete-records":       {toolsPackage + "DeleteRecordsCommand", bootstrapFirst},
	"kafka-features":             {toolsPackage + "FeatureCommand", bootstrapFirst},
	"kafka-get-offsets":          {toolsPackage + "GetOffsetShell", bootstrapFirst},
	"kafka-groups":               {toolsPackage + "GroupsCommand", bootstrapFirst},
	"kafka-leader-election":      {toolsPackage + "LeaderElectionCommand", bootstrapFirst},
	"kafka-log-dirs":             {toolsPackage + "LogDirsCommand", bootstrapFirst},
	"kafka-metadata-quorum":      {toolsPackage + "MetadataQuorumCommand", bootstrapFirst},
	"kafka-reassign-partitions":  {toolsPackage + "reassign.ReassignPartitionsCommand", bootstrapFirst},
	"kafka-replica-verification": {toolsPackage + "ReplicaVerificationTool", bootstrapNever},
	"kafka-storage":              {"kafka.tools.StorageTool", bootstrapNever},
	"kafka-topics":               {toolsPackage + "TopicCommand", bootstrapFirst},
	"kafka-transactions":         {toolsPackage + "TransactionsCommand", bootstrapFirst},
	"kafka-producer-perf-test":   {toolsPackage + "ProducerPerformance", bootstrapNever},
}

// ToolNames are the console tools that [Cluster.Tool] knows by name.
func ToolNames() []string { return slices.Sorted(maps.Keys(tools)) }

// Tool prepares one of Apache Kafka's own console tools, from the cached jars (fetched if need be). The name is as in
// Kafka's bin folder, with or without ".sh", or the full name of any Java class. A named tool gets --bootstrap-server
// for this cluster's plaintext listener unless the arguments say where to go.
func (c *Cluster) Tool(ctx context.Context, name string, args ...string) (*exec.Cmd, error) {
	s := c.State()
	t, err := resolveTool(name)
	if err != nil {
		return nil, err
	}
	j, err := toolchain(ctx, s.Dir, c.report)
	if err != nil {
		return nil, err
	}
	if !exists(j.log4) { // an embedded cluster has none
		if err := writeAtomic(j.log4, log4jConfig, 0o600); err != nil {
			return nil, err
		}
	}
	argv := j.Args(quickOptions, t.class, withBootstrap(t, args, s.Bootstrap.Plaintext)...)
	return exec.CommandContext(ctx, j.java, argv...), nil
}

func resolveTool(name string) (tool, error) {
	name = strings.TrimSuffix(name, ".sh")
	if t, ok := tools[name]; ok {
		return t, nil
	}
	if strings.Contains(name, ".") {
		return tool{name, bootstrapNever}, nil
	}
	return tool{}, fmt.Errorf("localkafka knows no console tool %q; it knows %s, and any Java class by its full name", name, strings.Join(ToolNames(), ", "))
}

func withBootstrap(t tool, args, bootstrap []string) []string {
	for _, a := range args {
		if strings.HasPrefix(a, "--bootstrap-") || a == "--help" || a == "--version" {
			return args
		}
	}
	add := []string{"--bootstrap-server", strings.Join(bootstrap, ",")}
	switch t.bootstrap {
	case bootstrapFirst:
		return append(add, args...)
	case bootstrapLast:
		return append(slices.Clone(args), add...)
	default:
		return args
	}
}
