// Package local runs an Apache Kafka cluster on this machine for tests and demos: real brokers (KRaft, several racks,
// every security protocol) as plain processes on 127.0.0.1, without containers.
//
// [Up] fetches Apache Kafka's jars with Maven, formats and starts the nodes and returns when every broker answers and
// knows every other one. What was started is written to DIR/state.json, so that another process can [Load] it, kill and
// start nodes, and take the cluster down.
//
//	cluster, err := local.Up(ctx, local.Config{Authorizer: true, Progress: t.Log})
//	...
//	defer cluster.Down(context.WithoutCancel(ctx))
//	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.State().Bootstrap.Plaintext...))
//
// The brokers are separate processes that outlive the caller: only [Cluster.Down] ends them.
package local
