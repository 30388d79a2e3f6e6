package franz

import (
	"context"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kmsg"

	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/wirereq"
	"mooring.dev/mooring/internal/topic"
)

// maxDescribed bounds the topics of one DescribeConfigs request; at 250 bytes a topic the answer stays near 250 KB.
const maxDescribed = 1000

// look asks for topics by name: their metadata, their reassignments, and the configuration of those that exist.
func (a *Admin) look(ctx context.Context, keysOf map[string][]string) (map[string]wirereq.Answer[topic.Observed], error) {
	at := topic.Version(a.version.Load())
	names := slices.Sorted(maps.Keys(keysOf))
	resp, err := wirereq.Metadata(names).RequestWith(ctx, a.client)
	if err != nil {
		return nil, err
	}
	return a.complete(ctx, at, resp, keysOf)
}

// complete adds reassignments and configuration to the topics of a metadata response that keysOf names.
func (a *Admin) complete(ctx context.Context, at topic.Version, meta *kmsg.MetadataResponse, keysOf map[string][]string) (map[string]wirereq.Answer[topic.Observed], error) {
	all := wirereq.MetadataAnswers(meta)
	answers := make(map[string]wirereq.Answer[topic.Observed], len(keysOf))
	var existing []string
	for name := range keysOf {
		answer := all[name] // a name that all topics do not have is a topic that does not exist
		answer.Value.At = at
		answers[name] = answer
		if answer.Err == nil && answer.Value.Exists() {
			existing = append(existing, name)
		}
	}
	if len(existing) == 0 {
		return answers, nil
	}
	slices.Sort(existing)
	moving, err := a.reassignments(ctx)
	if err != nil {
		return nil, err
	}
	wirereq.Reassignments(moving, answers)
	for chunk := range slices.Chunk(existing, maxDescribed) {
		if err := a.addConfigs(ctx, keysOf, chunk, answers); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// reassignments lists those in flight. A principal without DESCRIBE on the cluster may not see them; it cannot have
// started one either, so none is a fair answer.
func (a *Admin) reassignments(ctx context.Context) (*kmsg.ListPartitionReassignmentsResponse, error) {
	req := kmsg.NewPtrListPartitionReassignmentsRequest()
	req.TimeoutMillis = int32(requestTimeout.Milliseconds())
	resp, err := req.RequestWith(ctx, a.client)
	if err != nil {
		return nil, err
	}
	if err := kafka.FromCode(resp.ErrorCode, resp.ErrorMessage); err != nil && kafka.ClassOf(err) != kafka.ClassUnauthorized {
		return nil, err
	}
	return resp, nil
}

func (a *Admin) addConfigs(ctx context.Context, keysOf map[string][]string, names []string, answers map[string]wirereq.Answer[topic.Observed]) error {
	resp, err := wirereq.DescribeConfigs(keysOf, names).RequestWith(ctx, a.client)
	if err != nil {
		return err
	}
	for name, config := range wirereq.DescribeConfigsAnswers(resp) {
		answer := answers[name]
		answer.Value.Config = config.Value
		if kafka.ClassOf(config.Err) == kafka.ClassAbsent {
			// Deleted between the two requests.
			answer = wirereq.Answer[topic.Observed]{Value: topic.Observed{At: answer.Value.At}}
		} else if config.Err != nil {
			answer.Err = config.Err
		}
		answers[name] = answer
	}
	return nil
}
