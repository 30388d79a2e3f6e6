package franz

import (
	"context"

	"mooring.dev/mooring/internal/kafka/coalesce"
	"mooring.dev/mooring/internal/kafka/wirereq"
	"mooring.dev/mooring/internal/topic"
)

func (a *Admin) execCreate(ctx context.Context, batch []coalesce.Item[string, topic.Create]) (map[string]coalesce.Result[topic.ID], error) {
	resp, err := wirereq.Create(values(batch), requestTimeout, false).RequestWith(ctx, a.client)
	if err != nil {
		return nil, err
	}
	results := make(map[string]coalesce.Result[topic.ID], len(resp.Topics))
	for name, answer := range wirereq.CreateAnswers(resp) {
		results[name] = coalesce.Result[topic.ID]{Value: answer.Value.ID, Err: answer.Err}
	}
	return results, nil
}

func (a *Admin) execGrow(ctx context.Context, batch []coalesce.Item[string, topic.Grow]) (map[string]coalesce.Result[struct{}], error) {
	resp, err := wirereq.Grow(values(batch), requestTimeout, false).RequestWith(ctx, a.client)
	if err != nil {
		return nil, err
	}
	return results(wirereq.GrowAnswers(resp)), nil
}

func (a *Admin) execConfigure(ctx context.Context, batch []coalesce.Item[string, topic.Configure]) (map[string]coalesce.Result[struct{}], error) {
	resp, err := wirereq.Configure(values(batch), false).RequestWith(ctx, a.client)
	if err != nil {
		return nil, err
	}
	return results(wirereq.ConfigureAnswers(resp)), nil
}

func (a *Admin) execRemove(ctx context.Context, batch []coalesce.Item[topic.ID, topic.Remove]) (map[topic.ID]coalesce.Result[struct{}], error) {
	resp, err := wirereq.Remove(values(batch), requestTimeout).RequestWith(ctx, a.client)
	if err != nil {
		return nil, err
	}
	return results(wirereq.RemoveAnswers(resp)), nil
}

func (a *Admin) execDescribe(ctx context.Context, batch []coalesce.Item[string, []string]) (map[string]coalesce.Result[topic.Observed], error) {
	keysOf := make(map[string][]string, len(batch))
	for _, item := range batch {
		keysOf[item.Key] = item.Value
	}
	answers, err := a.look(ctx, keysOf)
	if err != nil {
		return nil, err
	}
	results := make(map[string]coalesce.Result[topic.Observed], len(answers))
	for name, answer := range answers {
		results[name] = coalesce.Result[topic.Observed]{Value: answer.Value, Err: answer.Err}
		if answer.Err == nil {
			a.view.put(name, keysOf[name], answer.Value)
		}
	}
	return results, nil
}

func values[K comparable, V any](batch []coalesce.Item[K, V]) []V {
	vs := make([]V, 0, len(batch))
	for _, item := range batch {
		vs = append(vs, item.Value)
	}
	return vs
}

func results[K comparable, T any](answers map[K]wirereq.Answer[T]) map[K]coalesce.Result[T] {
	rs := make(map[K]coalesce.Result[T], len(answers))
	for key, answer := range answers {
		rs[key] = coalesce.Result[T]{Value: answer.Value, Err: answer.Err}
	}
	return rs
}
