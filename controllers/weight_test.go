package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"testing"

	"k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
)

// gathered are the indexes of the cache by the type that they are of.
type gathered map[string]cache.Indexers

// IndexField implements client.FieldIndexer as controller-runtime's cache does: each value once with its namespace, and once
// without.
func (g gathered) IndexField(_ context.Context, o client.Object, field string, values client.IndexerFunc) error {
	kind := fmt.Sprintf("%T", o)
	if g[kind] == nil {
		g[kind] = make(cache.Indexers)
	}
	g[kind][field] = func(object any) ([]string, error) {
		o := object.(client.Object)
		var keys []string
		for _, value := range values(o) {
			keys = append(keys, o.GetNamespace()+"/"+value, "__all_namespaces/"+value)
		}
		return keys, nil
	}
	return nil
}

// heap is what is in use after a collection, in bytes.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // the first may have found finalizers
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestTenThousandTopicsWeighLittle holds the cache and its indexes to a budget, for the operator to stay under 200 MB with ten
// thousand topics. Without LightTopic they take twice as much.
func TestTenThousandTopicsWeighLittle(t *testing.T) {
	const topics, most = 10_000, 32 << 20
	indexes := make(gathered)
	if err := addIndexes(t.Context(), indexes); err != nil {
		t.Fatal(err)
	}
	before := heap()
	store := cache.NewIndexer(cache.MetaNamespaceKeyFunc, indexes[fmt.Sprintf("%T", &v1alpha1.KafkaTopic{})])
	for i := range topics {
		var kt v1alpha1.KafkaTopic
		if err := json.Unmarshal(convergedTopic(i), &kt); err != nil {
			t.Fatal(err)
		}
		if err := store.Add(light(t, &kt)); err != nil {
			t.Fatal(err)
		}
	}
	used := heap() - before
	t.Logf("%d topics: %.1f MB, %d bytes each", topics, float64(used)/(1<<20), used/topics)
	if used > most {
		t.Errorf("%d topics take %d bytes, want at most %d", topics, used, most)
	}
	if got := len(store.ListKeys()); got != topics {
		t.Errorf("%d topics are there", got)
	}
	found, err := store.ByIndex(indexTopicsByMetric, "default/"+metricTarget("default", "bench-00007"))
	if err != nil || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
	runtime.KeepAlive(store)
}

// convergedTopic is a ready KafkaTopic as the API server sends it: a third of it says who manages which field.
func convergedTopic(i int) []byte {
	name := fmt.Sprintf("bench-%05d", i)
	condition := func(kind, message string) string {
		return fmt.Sprintf(`{"type":%q,"status":"True","observedGeneration":2,"lastTransitionTime":"2026-01-02T03:04:05Z","reason":%q,"message":%q}`, kind, kind, message)
	}
	return fmt.Appendf(nil, `{"apiVersion":"kafka.mooring.dev/v1alpha1","kind":"KafkaTopic","metadata":{"name":%q,"namespace":"default","uid":"0e3a1f5c-0000-4000-8000-%012d",
		"resourceVersion":"%d","generation":2,"creationTimestamp":"2026-01-02T03:04:05Z","managedFields":[
		{"manager":"bench","operation":"Update","apiVersion":"kafka.mooring.dev/v1alpha1","time":"2026-01-02T03:04:05Z","fieldsType":"FieldsV1","fieldsV1":{"f:spec":{".":{},"f:config":{".":{},"f:max.message.bytes":{}},"f:minInsyncReplicas":{},"f:partitions":{},"f:replicationFactor":{}}}},
		{"manager":"mooring","operation":"Apply","apiVersion":"kafka.mooring.dev/v1alpha1","time":"2026-01-02T03:04:05Z","fieldsType":"FieldsV1","subresource":"status","fieldsV1":{"f:status":{"f:clusterID":{},"f:conditions":{"k:{\"type\":\"Ready\"}":{".":{},"f:lastTransitionTime":{},"f:message":{},"f:reason":{},"f:status":{},"f:type":{}}}}}}]},
		"spec":{"adoption":"Review","clusterRef":{"name":"default"},"config":{"max.message.bytes":"2097152"},"configOwnership":"Merge","deletionPolicy":"Retain","minInsyncReplicas":2,"mode":"Manage","onMissing":"Alert",
		"partitions":1,"reassignment":{"bytesPerSecond":"50Mi","partitionsAtOnce":10},"replicationFactor":3},
		"status":{"clusterID":"MkU3OEVBNTcwNTJENDM2Qg","conditions":[%s,%s,%s,%s,%s],"managedConfig":{"max.message.bytes":"2097152","min.insync.replicas":"2"},
		"minInsyncReplicas":2,"observedGeneration":2,"offlinePartitions":0,"partitions":1,"replicationFactor":3,"topicID":"Eil9Ja556IP_PqcKL%05d","topicName":%q,"underReplicatedPartitions":0}}`,
		name, i, 1000+i, condition("Ready", "the topic is what this manifest says"), condition("Reconciling", "nothing is left to do"), condition("Stalled", "nothing stands in the way"),
		condition("InSync", "the topic agrees with this manifest"), condition("Durable", "it survives the loss of one broker"), i, name)
}

// TestATopicHasTwoEntriesOfItsOwnInTheIndexes: an index in which each topic has a value of its own costs more than the topic's
// conditions. One is needed, and it is kept with the namespace and without.
func TestATopicHasTwoEntriesOfItsOwnInTheIndexes(t *testing.T) {
	indexes := make(gathered)
	if err := addIndexes(t.Context(), indexes); err != nil {
		t.Fatal(err)
	}
	var own []string
	for field, values := range indexes[fmt.Sprintf("%T", &v1alpha1.KafkaTopic{})] {
		one, errOne := values(fromServer(t, "orders"))
		other, errOther := values(fromServer(t, "payments"))
		if errOne != nil || errOther != nil {
			t.Fatal(errOne, errOther)
		}
		for _, key := range one {
			if !slices.Contains(other, key) {
				own = append(own, field+" "+key)
			}
		}
	}
	if len(own) != 2 {
		t.Errorf("a topic's own entries: %v, want 2", own)
	}
}
