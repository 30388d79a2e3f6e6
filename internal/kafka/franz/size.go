package franz

import (
	"context"

	"github.com/twmb/franz-go/pkg/kadm"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/topic"
)

// Sizes implements kafka.Admin. It needs DESCRIBE on the cluster.
func (a *Admin) Sizes(ctx context.Context, name string) (topic.Sizes, error) {
	ctx, cancel := context.WithTimeout(ctx, batchTimeout)
	defer cancel()
	set := kadm.TopicsSet{}
	set.Add(name, partitionsOf(a.tracked(name))...)
	dirs, err := kadm.NewClient(a.client).DescribeAllLogDirs(ctx, set)
	if err != nil && len(dirs) == 0 {
		return nil, kafka.FromClient(err)
	}
	sizes := make(topic.Sizes)
	dirs.Each(func(d kadm.DescribedLogDir) {
		d.Topics.Each(func(p kadm.DescribedLogDirPartition) {
			if sizes[p.Partition] == nil {
				sizes[p.Partition] = make(map[int32]int64)
			}
			// A replica that moves between two folders of one broker is in both.
			sizes[p.Partition][p.Broker] = max(sizes[p.Partition][p.Broker], p.Size)
		})
	})
	return sizes, nil
}

// tracked is the topic as it was last seen.
func (a *Admin) tracked(name string) topic.Observed {
	o, _ := a.view.get(name, []string{})
	return o
}

func partitionsOf(o topic.Observed) []int32 {
	numbers := make([]int32, 0, len(o.Partitions))
	for _, p := range o.Partitions {
		numbers = append(numbers, p.Number)
	}
	return numbers
}
