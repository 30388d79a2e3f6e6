package cli

import (
	"context"
	"fmt"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/cli/report"
	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/topic"
)

// ask asks the brokers about each step (validateOnly), and turns what they refuse into refusals.
func (p *planner) ask(ctx context.Context, out *report.Topic) {
	var left []topic.Step
	for i, step := range out.Steps {
		if !askable(step) {
			left = append(left, step)
			continue
		}
		rest, refusals, err := p.askStep(ctx, out, step)
		if err != nil {
			out.Error = fmt.Sprintf("ask the brokers whether they would %s: %v", step.Lines()[0], err)
			out.Steps, out.Refusals, out.Verdict, out.Waits = nil, nil, "", ""
			return
		}
		if rest != nil {
			left = append(left, rest)
		} else if _, configures := step.(topic.Configure); !configures && i+1 < len(out.Steps) {
			out.Notes = append(out.Notes, "the steps after a refused one wait until it is mended")
		}
		out.Refusals = append(out.Refusals, refusals...)
	}
	out.Steps = left
	switch {
	case len(left) == 0:
		out.Verdict, out.Waits = "", ""
	case out.Verdict == "":
		out.Verdict = report.VerdictNotAsked
	}
}

// askStep returns what the brokers leave of a step, nil for nothing. The error is one that is no answer.
func (p *planner) askStep(ctx context.Context, out *report.Topic, step topic.Step) (topic.Step, []topic.Refusal, error) {
	err := p.admin.Validate(ctx, out.TopicName, step)
	class := kafka.ClassOf(err)
	configure, configures := step.(topic.Configure)
	switch {
	case err == nil:
		if out.Verdict == "" {
			out.Verdict = report.VerdictAccepted
		}
		return step, nil, nil
	case silent(class):
		out.Verdict = report.VerdictUnknown
		return step, nil, nil
	case class == kafka.ClassInvalidConfig && configures && len(configure.Changes) > 1:
		return p.askEach(ctx, out, configure)
	case refusing(class) != "":
		return nil, []topic.Refusal{refusalOf(step.Lines()[0], err)}, nil
	}
	return nil, nil, err
}

// askEach asks about the changes one by one, because the broker takes all the keys of a topic or none, and says of one only
// what is wrong.
func (p *planner) askEach(ctx context.Context, out *report.Topic, step topic.Configure) (topic.Step, []topic.Refusal, error) {
	rest := topic.Configure{Name: step.Name}
	var refusals []topic.Refusal
	for _, change := range step.Changes {
		one, refused, err := p.askStep(ctx, out, topic.Configure{Name: step.Name, Changes: []topic.Change{change}})
		if err != nil {
			return nil, nil, err
		}
		if refusals = append(refusals, refused...); one != nil {
			rest.Changes = append(rest.Changes, change)
		}
	}
	if len(rest.Changes) == 0 {
		return nil, refusals, nil
	}
	return rest, refusals, nil
}

// askable says whether the protocol has validateOnly for a step.
func askable(s topic.Step) bool {
	switch s.(type) {
	case topic.Create, topic.Grow, topic.Configure:
		return true
	}
	return false
}

// silent are answers that say nothing about the change: a principal that may only look, a used-up quota, an old broker.
func silent(class kafka.Class) bool {
	switch class {
	case kafka.ClassUnauthorized, kafka.ClassThrottled, kafka.ClassUnsupported:
		return true
	}
	return false
}

// refusing is the reason that the operator would give for an error; empty where it would try again.
func refusing(class kafka.Class) string {
	switch class {
	case kafka.ClassInvalidConfig:
		return v1alpha1.ReasonInvalidConfig
	case kafka.ClassInvalid:
		return v1alpha1.ReasonInvalidSpec
	case kafka.ClassPolicy:
		return v1alpha1.ReasonPolicyViolation
	}
	return ""
}

func refusalOf(doing string, err error) topic.Refusal {
	return topic.Refusal{Reason: refusing(kafka.ClassOf(err)), Message: fmt.Sprintf("the brokers refuse to %s: %v", doing, err)}
}
