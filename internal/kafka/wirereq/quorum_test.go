package wirereq_test

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/kafka/wirereq"
)

func TestQuorum(t *testing.T) {
	req := wirereq.Quorum()
	if len(req.Topics) != 1 || req.Topics[0].Topic != "__cluster_metadata" || len(req.Topics[0].Partitions) != 1 || req.Topics[0].Partitions[0].Partition != 0 {
		t.Errorf("%+v", req)
	}
	encodes(t, req, kmsg.NewPtrDescribeQuorumRequest())
}

func TestQuorumLeader(t *testing.T) {
	resp := func(change func(*kmsg.DescribeQuorumResponse)) *kmsg.DescribeQuorumResponse {
		r := &kmsg.DescribeQuorumResponse{Topics: []kmsg.DescribeQuorumResponseTopic{
			{Topic: "__cluster_metadata", Partitions: []kmsg.DescribeQuorumResponseTopicPartition{{LeaderID: 2}}},
		}}
		change(r)
		return r
	}
	tests := map[string]struct {
		resp  *kmsg.DescribeQuorumResponse
		knows bool
	}{
		"a leader":          {resp(func(*kmsg.DescribeQuorumResponse) {}), true},
		"node 0 leads":      {resp(func(r *kmsg.DescribeQuorumResponse) { r.Topics[0].Partitions[0].LeaderID = 0 }), true},
		"no leader":         {resp(func(r *kmsg.DescribeQuorumResponse) { r.Topics[0].Partitions[0].LeaderID = -1 }), false},
		"denied":            {resp(func(r *kmsg.DescribeQuorumResponse) { r.ErrorCode = kerr.ClusterAuthorizationFailed.Code }), false},
		"an answer too few": {resp(func(r *kmsg.DescribeQuorumResponse) { r.Topics = nil }), false},
		"no partition":      {resp(func(r *kmsg.DescribeQuorumResponse) { r.Topics[0].Partitions = nil }), false},
		"a partition denied": {resp(func(r *kmsg.DescribeQuorumResponse) {
			r.Topics[0].Partitions[0].ErrorCode = kerr.NotLeaderForPartition.Code
		}), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			leader, ok := wirereq.QuorumLeader(tt.resp)
			if ok != tt.knows || (ok && leader != tt.resp.Topics[0].Partitions[0].LeaderID) {
				t.Errorf("%d, %t", leader, ok)
			}
		})
	}
}
