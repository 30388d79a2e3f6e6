package wirereq

import (
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/topic"
)

// Reassign is one AlterPartitionReassignments request.
func Reassign(s topic.Reassign, timeout time.Duration) *kmsg.AlterPartitionAssignmentsRequest {
	req := kmsg.NewPtrAlterPartitionAssignmentsRequest()
	req.TimeoutMillis = int32(timeout.Milliseconds())
	req.AllowReplicationFactorChange = s.AllowReplicationFactorChange
	t := kmsg.NewAlterPartitionAssignmentsRequestTopic()
	t.Topic = s.Name
	for _, move := range s.Moves {
		p := kmsg.NewAlterPartitionAssignmentsRequestTopicPartition()
		p.Partition, p.Replicas = move.Partition, move.To
		t.Partitions = append(t.Partitions, p)
	}
	req.Topics = append(req.Topics, t)
	return req
}

// ReassignError is the first error of the response, of the request or of a partition.
func ReassignError(resp *kmsg.AlterPartitionAssignmentsResponse) error {
	if err := kafka.FromCode(resp.ErrorCode, resp.ErrorMessage); err != nil {
		return throttled(err, resp.ThrottleMillis)
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			if err := kafka.FromCode(p.ErrorCode, p.ErrorMessage); err != nil {
				return throttled(err, resp.ThrottleMillis)
			}
		}
	}
	return nil
}

// Elect is one ElectLeaders request for preferred leaders.
func Elect(s topic.Elect, timeout time.Duration) *kmsg.ElectLeadersRequest {
	req := kmsg.NewPtrElectLeadersRequest()
	req.TimeoutMillis = int32(timeout.Milliseconds())
	req.ElectionType = 0 // preferred
	t := kmsg.NewElectLeadersRequestTopic()
	t.Topic, t.Partitions = s.Name, s.Partitions
	req.Topics = append(req.Topics, t)
	return req
}

// ElectError is the first error of the response that matters. ELECTION_NOT_NEEDED says that the preferred replica leads
// already, PREFERRED_LEADER_NOT_AVAILABLE that it is away: both leave a leader in place.
func ElectError(resp *kmsg.ElectLeadersResponse) error {
	if err := kafka.FromCode(resp.ErrorCode, nil); err != nil {
		return throttled(err, resp.ThrottleMillis)
	}
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			err := kafka.FromCode(p.ErrorCode, p.ErrorMessage)
			if err != nil && kafka.ClassOf(err) != kafka.ClassTransient {
				return throttled(err, resp.ThrottleMillis)
			}
		}
	}
	return nil
}

// BrokerConfigs asks for keys of brokers.
func BrokerConfigs(brokers []int32, keys []string) *kmsg.DescribeConfigsRequest {
	req := kmsg.NewPtrDescribeConfigsRequest()
	for _, id := range brokers {
		r := kmsg.NewDescribeConfigsRequestResource()
		r.ResourceType, r.ResourceName, r.ConfigNames = kmsg.ConfigResourceTypeBroker, strconv.Itoa(int(id)), keys
		req.Resources = append(req.Resources, r)
	}
	return req
}

// ConfigureBroker sets or resets keys of one broker.
func ConfigureBroker(broker int32, changes []topic.Change) *kmsg.IncrementalAlterConfigsRequest {
	req := Configure([]topic.Configure{{Name: strconv.Itoa(int(broker)), Changes: changes}}, false)
	req.Resources[0].ResourceType = kmsg.ConfigResourceTypeBroker
	return req
}
