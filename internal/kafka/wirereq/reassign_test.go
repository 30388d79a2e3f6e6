package wirereq_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/wirereq"
	"mooring.dev/mooring/internal/topic"
)

func TestReassign(t *testing.T) {
	got := wirereq.Reassign(topic.Reassign{
		Name: "a", AllowReplicationFactorChange: true,
		Moves: []topic.Move{{Partition: 2, From: []int32{1}, To: []int32{3, 1}}, {Partition: 0, From: []int32{2}, To: []int32{2, 3}}},
	}, 4*time.Second)
	want := &kmsg.AlterPartitionAssignmentsRequest{
		Version: got.Version, TimeoutMillis: 4000, AllowReplicationFactorChange: true,
		Topics: []kmsg.AlterPartitionAssignmentsRequestTopic{{Topic: "a", Partitions: []kmsg.AlterPartitionAssignmentsRequestTopicPartition{
			{Partition: 2, Replicas: []int32{3, 1}}, {Partition: 0, Replicas: []int32{2, 3}},
		}}},
	}
	if diff := cmp.Diff(want, got, sameWire); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	encodes(t, got, kmsg.NewPtrAlterPartitionAssignmentsRequest())
	if wirereq.Reassign(topic.Reassign{}, 0).AllowReplicationFactorChange {
		t.Error("the library's default is true: a move that does not mean to change the factor has to say so (KIP-860)")
	}
}

func TestReassignError(t *testing.T) {
	partition := func(code *kerr.Error) *kmsg.AlterPartitionAssignmentsResponse {
		p := []kmsg.AlterPartitionAssignmentsResponseTopicPartition{{Partition: 0}, {Partition: 1, ErrorCode: code.Code, ErrorMessage: new("because")}}
		return &kmsg.AlterPartitionAssignmentsResponse{Topics: []kmsg.AlterPartitionAssignmentsResponseTopic{{Topic: "a", Partitions: p}}}
	}
	if err := wirereq.ReassignError(&kmsg.AlterPartitionAssignmentsResponse{Topics: []kmsg.AlterPartitionAssignmentsResponseTopic{{Partitions: []kmsg.AlterPartitionAssignmentsResponseTopicPartition{{}}}}}); err != nil {
		t.Errorf("%v", err)
	}
	if err := wirereq.ReassignError(&kmsg.AlterPartitionAssignmentsResponse{ErrorCode: kerr.ClusterAuthorizationFailed.Code}); kafka.ClassOf(err) != kafka.ClassUnauthorized {
		t.Errorf("of the request: %v", err)
	}
	if err := wirereq.ReassignError(partition(kerr.InvalidReplicaAssignment)); kafka.ClassOf(err) != kafka.ClassInvalid || err.Error() != "INVALID_REPLICA_ASSIGNMENT: because" {
		t.Errorf("of the second partition: %v", err)
	}
	resp := partition(kerr.ThrottlingQuotaExceeded)
	resp.ThrottleMillis = 700
	expectThrottled(t, wirereq.ReassignError(resp))
}

func TestElect(t *testing.T) {
	got := wirereq.Elect(topic.Elect{Name: "a", Partitions: []int32{4, 2}}, 5*time.Second)
	want := &kmsg.ElectLeadersRequest{
		Version: got.Version, TimeoutMillis: 5000, ElectionType: 0, // 1 would be an unclean election, which loses records
		Topics: []kmsg.ElectLeadersRequestTopic{{Topic: "a", Partitions: []int32{4, 2}}},
	}
	if diff := cmp.Diff(want, got, sameWire); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	encodes(t, got, kmsg.NewPtrElectLeadersRequest())
}

func TestElectError(t *testing.T) {
	tests := map[*kerr.Error]kafka.Class{
		kerr.ElectionNotNeeded:           -1,
		kerr.PreferredLeaderNotAvailable: -1,
		kerr.UnknownTopicOrPartition:     kafka.ClassAbsent,
		kerr.ClusterAuthorizationFailed:  kafka.ClassUnauthorized,
	}
	for code, want := range tests {
		err := wirereq.ElectError(&kmsg.ElectLeadersResponse{Topics: []kmsg.ElectLeadersResponseTopic{{Topic: "a", Partitions: []kmsg.ElectLeadersResponseTopicPartition{
			{Partition: 0}, {Partition: 1, ErrorCode: code.Code},
		}}}})
		if want == -1 && err != nil {
			t.Errorf("%s leaves a leader in place, and is no error: %v", code.Message, err)
		}
		if want != -1 && (err == nil || kafka.ClassOf(err) != want) {
			t.Errorf("%s: %v", code.Message, err)
		}
	}
	if err := wirereq.ElectError(&kmsg.ElectLeadersResponse{ErrorCode: kerr.ClusterAuthorizationFailed.Code}); kafka.ClassOf(err) != kafka.ClassUnauthorized {
		t.Errorf("of the request: %v", err)
	}
}

func TestBrokerConfigs(t *testing.T) {
	got := wirereq.BrokerConfigs([]int32{3, 10}, []string{"k"})
	want := &kmsg.DescribeConfigsRequest{Version: got.Version, Resources: []kmsg.DescribeConfigsRequestResource{
		{ResourceType: kmsg.ConfigResourceTypeBroker, ResourceName: "3", ConfigNames: []string{"k"}},
		{ResourceType: kmsg.ConfigResourceTypeBroker, ResourceName: "10", ConfigNames: []string{"k"}},
	}}
	if diff := cmp.Diff(want, got, sameWire); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	set := wirereq.ConfigureBroker(3, []topic.Change{{Key: "k", To: new("9")}, {Key: "gone"}})
	wantSet := &kmsg.IncrementalAlterConfigsRequest{Version: set.Version, Resources: []kmsg.IncrementalAlterConfigsRequestResource{
		{ResourceType: kmsg.ConfigResourceTypeBroker, ResourceName: "3", Configs: []kmsg.IncrementalAlterConfigsRequestResourceConfig{
			{Name: "k", Op: kmsg.IncrementalAlterConfigOpSet, Value: new("9")}, {Name: "gone", Op: kmsg.IncrementalAlterConfigOpDelete},
		}},
	}}
	if diff := cmp.Diff(wantSet, set, sameWire); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	encodes(t, set, kmsg.NewPtrIncrementalAlterConfigsRequest())
}
