package franz

import (
	"context"
	"slices"
	"strconv"

	"mooring.dev/mooring/internal/kafka/wirereq"
	"mooring.dev/mooring/internal/topic"
)

// reassign looks again, throttles, and starts the moves. The order matters: a replica that begins to copy before its
// throttle is there can fill a network, and a throttle without a move is taken off again by the plan.
func (a *Admin) reassign(ctx context.Context, s topic.Reassign) error {
	ctx, cancel := context.WithTimeout(ctx, 2*batchTimeout)
	defer cancel()
	a.Bump()
	o, err := a.describe.Do(ctx, s.Name, nil) // all keys: the throttle keys are among them
	if err != nil {
		return err
	}
	if s = s.Still(o); len(s.Moves) == 0 {
		return nil
	}
	if err := a.throttle(ctx, s, o); err != nil {
		return err
	}
	resp, err := wirereq.Reassign(s, requestTimeout).RequestWith(ctx, a.client)
	if err != nil {
		return err
	}
	return wirereq.ReassignError(resp)
}

func (a *Admin) throttle(ctx context.Context, s topic.Reassign, o topic.Observed) error {
	leaders, followers := topic.ThrottleFor(s.Moves)
	if leaders == "" && followers == "" {
		return nil
	}
	configure := topic.Configure{Name: s.Name}
	for key, ours := range map[string]string{topic.KeyThrottledLeaderReplicas: leaders, topic.KeyThrottledFollowerReplicas: followers} {
		before, _ := o.Value(key)
		before = topic.RemoveThrottle(before, topic.LeftoverThrottle(before, o)) // of partitions of ours that have arrived
		configure.Changes = append(configure.Changes, topic.Change{Key: key, To: new(topic.MergeThrottle(before, ours))})
	}
	if _, err := a.configure.Do(ctx, s.Name, configure); err != nil {
		return err
	}
	brokers := a.Info().Cluster().Brokers
	for key, value := range map[string]string{topic.KeyThrottledLeaderRate: leaders, topic.KeyThrottledFollowerRate: followers} {
		if err := a.setRate(ctx, key, s.ThrottleBytesPerSecond, topic.ThrottledBrokers(value, brokers)); err != nil {
			return err
		}
	}
	return nil
}

// setRate gives brokers a throttle rate where they have none: one that somebody else set is theirs to change.
func (a *Admin) setRate(ctx context.Context, key string, rate int64, brokers []int32) error {
	rates, err := a.ratesOf(ctx, key, brokers)
	if err != nil {
		return err
	}
	for _, id := range brokers {
		if rates[id] != "" {
			continue
		}
		change := topic.Change{Key: key, To: new(strconv.FormatInt(rate, 10))}
		if err := a.configureBroker(ctx, id, change); err != nil {
			return err
		}
	}
	return nil
}

// ratesOf reads a throttle rate of brokers; empty where none is set on the broker itself.
func (a *Admin) ratesOf(ctx context.Context, key string, brokers []int32) (map[int32]string, error) {
	rates := make(map[int32]string, len(brokers))
	if len(brokers) == 0 {
		return rates, nil
	}
	resp, err := wirereq.BrokerConfigs(brokers, []string{key}).RequestWith(ctx, a.client)
	if err != nil {
		return nil, err
	}
	for name, answer := range wirereq.DescribeConfigsAnswers(resp) {
		if answer.Err != nil {
			return nil, answer.Err
		}
		id, err := strconv.ParseInt(name, 10, 32)
		entry := answer.Value[key]
		if err == nil && entry.Value != nil && entry.Source == topic.SourceDynamicBroker {
			rates[int32(id)] = *entry.Value
		}
	}
	return rates, nil
}

func (a *Admin) configureBroker(ctx context.Context, id int32, changes ...topic.Change) error {
	resp, err := wirereq.ConfigureBroker(id, changes).RequestWith(ctx, a.client)
	if err != nil {
		return err
	}
	for _, answer := range wirereq.ConfigureAnswers(resp) {
		if answer.Err != nil {
			return answer.Err
		}
	}
	return nil
}

// unthrottle takes the topic's throttle off, and the rates of brokers that are still what we set.
func (a *Admin) unthrottle(ctx context.Context, s topic.Unthrottle) error {
	ctx, cancel := context.WithTimeout(ctx, 2*batchTimeout)
	defer cancel()
	if len(s.Changes) > 0 {
		if _, err := a.configure.Do(ctx, s.Name, topic.Configure{Name: s.Name, Changes: s.Changes}); err != nil {
			return err
		}
	}
	for _, key := range []string{topic.KeyThrottledLeaderRate, topic.KeyThrottledFollowerRate} {
		rates, err := a.ratesOf(ctx, key, s.Brokers)
		if err != nil {
			return err
		}
		for _, id := range s.Brokers {
			rate, err := strconv.ParseInt(rates[id], 10, 64)
			if err != nil || !slices.Contains(s.Rates, rate) {
				continue
			}
			if err := a.configureBroker(ctx, id, topic.Change{Key: key}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *Admin) elect(ctx context.Context, s topic.Elect) error {
	ctx, cancel := context.WithTimeout(ctx, batchTimeout)
	defer cancel()
	resp, err := wirereq.Elect(s, requestTimeout).RequestWith(ctx, a.client)
	if err != nil {
		return err
	}
	return wirereq.ElectError(resp)
}
