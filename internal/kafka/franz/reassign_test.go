package franz_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/franz"
	"mooring.dev/mooring/internal/kafka/kafkatest"
	"mooring.dev/mooring/internal/topic"
)

// moves plays what kfake does not: the throttle rates of brokers, and a record of what is asked for in which order.
type moves struct {
	*kafkatest.Cluster
	// rates of brokers, by broker/key.
	rates map[string]string
	log   []string
	// deny answers alterations of brokers with CLUSTER_AUTHORIZATION_FAILED.
	deny bool
}

func newMoves(c *kafkatest.Cluster) *moves {
	m := &moves{Cluster: c, rates: make(map[string]string)}
	c.ControlKey(int16(kmsg.DescribeConfigs), m.describe)
	c.ControlKey(int16(kmsg.IncrementalAlterConfigs), m.alter)
	c.ControlKey(int16(kmsg.AlterPartitionAssignments), func(r kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		req := r.(*kmsg.AlterPartitionAssignmentsRequest)
		for _, p := range req.Topics[0].Partitions {
			m.log = append(m.log, fmt.Sprintf("move %s-%d to %v, factor may change: %t", req.Topics[0].Topic, p.Partition, p.Replicas, req.AllowReplicationFactorChange))
		}
		return nil, nil, false
	})
	return m
}

func (m *moves) describe(r kmsg.Request) (kmsg.Response, error, bool) {
	m.KeepControl()
	req := r.(*kmsg.DescribeConfigsRequest)
	if req.Resources[0].ResourceType != kmsg.ConfigResourceTypeBroker {
		return nil, nil, false
	}
	resp := req.ResponseKind().(*kmsg.DescribeConfigsResponse)
	for _, resource := range req.Resources {
		answer := kmsg.DescribeConfigsResponseResource{ResourceType: resource.ResourceType, ResourceName: resource.ResourceName}
		for _, key := range resource.ConfigNames {
			config := kmsg.DescribeConfigsResponseResourceConfig{Name: key, Value: new("9223372036854775807"), Source: kmsg.ConfigSourceDefaultConfig}
			if rate, ok := m.rates[resource.ResourceName+"/"+key]; ok {
				config.Value, config.Source = &rate, kmsg.ConfigSourceDynamicBrokerConfig
			}
			answer.Configs = append(answer.Configs, config)
		}
		resp.Resources = append(resp.Resources, answer)
	}
	return resp, nil, true
}

func (m *moves) alter(r kmsg.Request) (kmsg.Response, error, bool) {
	m.KeepControl()
	req := r.(*kmsg.IncrementalAlterConfigsRequest)
	broker := req.Resources[0].ResourceType == kmsg.ConfigResourceTypeBroker
	resp := req.ResponseKind().(*kmsg.IncrementalAlterConfigsResponse)
	for _, resource := range req.Resources {
		answer := kmsg.IncrementalAlterConfigsResponseResource{ResourceType: resource.ResourceType, ResourceName: resource.ResourceName}
		if broker && m.deny {
			answer.ErrorCode = kerr.ClusterAuthorizationFailed.Code
		}
		var changes []string
		for _, c := range resource.Configs {
			text := "reset " + short(c.Name)
			if c.Op == kmsg.IncrementalAlterConfigOpSet {
				text = "set " + short(c.Name) + " to " + *c.Value
			}
			changes = append(changes, text)
			if broker && !m.deny {
				delete(m.rates, resource.ResourceName+"/"+c.Name)
				if c.Value != nil {
					m.rates[resource.ResourceName+"/"+c.Name] = *c.Value
				}
			}
		}
		slices.Sort(changes)
		m.log = append(m.log, resource.ResourceName+": "+strings.Join(changes, ", "))
		resp.Resources = append(resp.Resources, answer)
	}
	return resp, nil, broker
}

func short(key string) string {
	return strings.NewReplacer(".replication.throttled.replicas", " replicas", ".replication.throttled.rate", " rate").Replace(key)
}

// take returns what was asked for since the last time. Brokers are asked in an order of the library's own.
func (m *moves) take() []string {
	log := m.log
	m.log = nil
	return log
}

// moving plays a topic of one partition on brokers 0 and 1, that shall move to 0 and 2.
func moving(t *testing.T, test func(t *testing.T, m *moves, a *franz.Admin, step topic.Reassign)) {
	t.Helper()
	on(t, func(t *testing.T, c *kafkatest.Cluster, a *franz.Admin, sent *kafkatest.Requests) {
		poll(t, a)
		if _, err := a.Apply(t.Context(), "t", topic.Create{Name: "t", Partitions: new(int32(1)), Replication: new(int16(2))}); err != nil {
			t.Fatal(err)
		}
		o, err := a.Observe(t.Context(), "t", nil, kafka.Cached())
		if err != nil {
			t.Fatal(err)
		}
		from := o.Partitions[0].Replicas
		other := 3 - from[0] - from[1] // of brokers 0, 1 and 2
		step := topic.Reassign{Name: "t", ThrottleBytesPerSecond: 1000, Moves: []topic.Move{{Partition: 0, From: from, To: []int32{from[0], other}}}}
		test(t, newMoves(c), a, step)
	})
}

// A replica that begins to copy before its throttle is there can fill a network.
func TestAMoveIsThrottledBeforeItBegins(t *testing.T) {
	moving(t, func(t *testing.T, m *moves, a *franz.Admin, step topic.Reassign) {
		from, to := step.Moves[0].From, step.Moves[0].To
		if _, err := a.Apply(t.Context(), "t", step); err != nil {
			t.Fatal(err)
		}
		log := m.take()
		leaders := fmt.Sprintf("0:%d,0:%d", min(from[0], from[1]), max(from[0], from[1]))
		want := []string{
			fmt.Sprintf("t: set follower replicas to 0:%d, set leader replicas to %s", to[1], leaders),
			fmt.Sprintf("move t-0 to %v, factor may change: false", to),
		}
		if got := []string{log[0], log[len(log)-1]}; !cmp.Equal(want, got) {
			t.Errorf("first and last (-want +got):\n%s", cmp.Diff(want, got))
		}
		wantRates := map[string]string{
			fmt.Sprintf("%d/leader.replication.throttled.rate", from[0]): "1000",
			fmt.Sprintf("%d/leader.replication.throttled.rate", from[1]): "1000",
			fmt.Sprintf("%d/follower.replication.throttled.rate", to[1]): "1000",
		}
		if diff := cmp.Diff(wantRates, m.rates); diff != "" {
			t.Errorf("rates (-want +got):\n%s", diff)
		}
	})
}

// A rate that somebody else set is theirs; and so are throttles of other partitions.
func TestAMoveLeavesOthersThrottlesAlone(t *testing.T) {
	moving(t, func(t *testing.T, m *moves, a *franz.Admin, step topic.Reassign) {
		key := fmt.Sprintf("%d/follower.replication.throttled.rate", step.Moves[0].To[1])
		m.rates[key] = "5"
		if _, err := a.Apply(t.Context(), "t", step); err != nil {
			t.Fatal(err)
		}
		if m.rates[key] != "5" {
			t.Errorf("somebody else's rate is %s", m.rates[key])
		}
		m.take()
		unthrottle := topic.Unthrottle{
			Name: "t", Rates: []int64{1000, 2000}, Brokers: []int32{0, 1, 2},
			Changes: []topic.Change{{Key: "leader.replication.throttled.replicas"}, {Key: "follower.replication.throttled.replicas"}},
		}
		if _, err := a.Apply(t.Context(), "t", unthrottle); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{key: "5"}, m.rates); diff != "" {
			t.Errorf("after the move (-want +got):\n%s", diff)
		}
		if log := m.take(); len(log) == 0 || log[0] != "t: reset follower replicas, reset leader replicas" {
			t.Errorf("%q", log)
		}
	})
}

// The controller replaces a reassignment in flight without a word: whoever carries out the step looks again right before.
func TestAMoveThatIsOutdatedIsNotSent(t *testing.T) {
	moving(t, func(t *testing.T, m *moves, a *franz.Admin, step topic.Reassign) {
		step.Moves[0].From = []int32{9}
		if _, err := a.Apply(t.Context(), "t", step); err != nil {
			t.Fatal(err)
		}
		if log := m.take(); len(log) > 0 {
			t.Errorf("%q", log)
		}
	})
}

func TestAMoveThatCannotBeThrottledDoesNotBegin(t *testing.T) {
	moving(t, func(t *testing.T, m *moves, a *franz.Admin, step topic.Reassign) {
		m.deny = true
		if _, err := a.Apply(t.Context(), "t", step); kafka.ClassOf(err) != kafka.ClassUnauthorized {
			t.Errorf("%v", err)
		}
		m.deny = false
		fault := m.Deny(kmsg.IncrementalAlterConfigs, "t")
		if _, err := a.Apply(t.Context(), "t", step); kafka.ClassOf(err) != kafka.ClassUnauthorized {
			t.Errorf("%v", err)
		}
		fault.Remove()
		for _, line := range m.take() {
			if strings.HasPrefix(line, "move") {
				t.Errorf("it began: %s", line)
			}
		}
	})
}

func TestAMoveThatIsRefused(t *testing.T) {
	moving(t, func(t *testing.T, m *moves, a *franz.Admin, step topic.Reassign) {
		m.FailTopic(kmsg.AlterPartitionAssignments, "t", kerr.InvalidReplicaAssignment, 1)
		if _, err := a.Apply(t.Context(), "t", step); kafka.ClassOf(err) != kafka.ClassInvalid {
			t.Errorf("%v", err)
		}
	})
}

func TestElectLeaders(t *testing.T) {
	moving(t, func(t *testing.T, m *moves, a *franz.Admin, step topic.Reassign) {
		elect := topic.Elect{Name: "t", Partitions: []int32{0}}
		for _, code := range []*kerr.Error{kerr.ElectionNotNeeded, kerr.PreferredLeaderNotAvailable} {
			m.FailTopic(kmsg.ElectLeaders, "t", code, 1)
			if _, err := a.Apply(t.Context(), "t", elect); err != nil {
				t.Errorf("%s: %v", code.Message, err)
			}
		}
		m.FailTopic(kmsg.ElectLeaders, "t", kerr.ClusterAuthorizationFailed, 1)
		if _, err := a.Apply(t.Context(), "t", elect); kafka.ClassOf(err) != kafka.ClassUnauthorized {
			t.Errorf("%v", err)
		}
	})
}
