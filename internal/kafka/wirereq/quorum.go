package wirereq

import "github.com/twmb/franz-go/pkg/kmsg"

// Quorum asks who leads the KRaft quorum.
func Quorum() *kmsg.DescribeQuorumRequest {
	t := kmsg.NewDescribeQuorumRequestTopic()
	t.Topic = "__cluster_metadata"
	t.Partitions = []kmsg.DescribeQuorumRequestTopicPartition{kmsg.NewDescribeQuorumRequestTopicPartition()}
	req := kmsg.NewPtrDescribeQuorumRequest()
	req.Topics = append(req.Topics, t)
	return req
}

// QuorumLeader reads the response to Quorum. It is false when the response does not say.
func QuorumLeader(resp *kmsg.DescribeQuorumResponse) (int32, bool) {
	if resp.ErrorCode != 0 || len(resp.Topics) != 1 || len(resp.Topics[0].Partitions) != 1 {
		return 0, false
	}
	p := resp.Topics[0].Partitions[0]
	return p.LeaderID, p.ErrorCode == 0 && p.LeaderID >= 0
}
