// Package report is what `kubectl mooring plan` found, as text for people and as JSON for programs. It is pure.
package report

import (
	"mooring.dev/mooring/internal/cli/manifest"
	"mooring.dev/mooring/internal/topic"
)

// The exit statuses of plan.
const (
	ExitUnchanged = 0
	ExitFailed    = 1
	ExitChanges   = 2
)

// What is known of who owns a topic.
const (
	// OwnershipLive: it was read from the status of the KafkaTopics in the Kubernetes cluster.
	OwnershipLive = "Live"
	// OwnershipAssumed: nobody was asked, so that every topic that exists is taken for one that may be changed.
	OwnershipAssumed = "Assumed"
)

// The broker's verdicts on what is left of a plan after its refusals.
const (
	// VerdictAccepted: the brokers would carry out all that they can be asked about (validateOnly).
	VerdictAccepted = "Accepted"
	// VerdictUnknown: the brokers do not say, because this principal may not change the topic.
	VerdictUnknown = "Unknown"
	// VerdictNotAsked: the protocol has no question for these changes.
	VerdictNotAsked = "NotAsked"
)

// Plan is what one call of plan found.
type Plan struct {
	Ownership string
	Clusters  []Cluster
	Topics    []Topic
	Problems  []manifest.Problem
	Notes     []string
	// RefusalFails makes a refusal an error.
	RefusalFails bool
	// Failure is why nothing, or not all, could be planned.
	Failure string
}

// Cluster is a Kafka cluster that was looked at. Name is that of the KafkaCluster, empty without one.
type Cluster struct{ Name, ID string }

// Topic is what is to be done about one KafkaTopic.
type Topic struct {
	Source             manifest.Source
	Namespace, Name    string
	Cluster, TopicName string
	State              string
	Steps              []topic.Step
	Refusals           []topic.Refusal
	Verdict            string
	Notes              []string
	Error              string
	// Waits is why the steps are not carried out by applying the manifest: "Review" or "Observe"; empty when they are.
	Waits string
}

// StateName names a state. Without knowledge of who owns it, a topic that exists is only that.
func StateName(s topic.State, ownership string) string {
	if ownership == OwnershipAssumed && s != topic.Absent {
		return "Existing"
	}
	switch s {
	case topic.Absent:
		return "Absent"
	case topic.Foreign:
		return "Foreign"
	case topic.Owned:
		return "Owned"
	case topic.Replaced:
		return "Replaced"
	case topic.Missing:
		return "Missing"
	}
	return "Unknown"
}

func (t Topic) unchanged() bool { return len(t.Steps)+len(t.Refusals) == 0 && t.Error == "" }

// Summary counts topics. One with changes and refusals counts in both.
type Summary struct {
	Topics    int `json:"topics"`
	Create    int `json:"create"`
	Change    int `json:"change"`
	Unchanged int `json:"unchanged"`
	Refused   int `json:"refused"`
	Failed    int `json:"failed"`
}

// Summary counts the topics of the plan.
func (p Plan) Summary() Summary {
	s := Summary{Topics: len(p.Topics)}
	for _, t := range p.Topics {
		switch {
		case t.Error != "":
			s.Failed++
		case t.unchanged():
			s.Unchanged++
		case creates(t.Steps):
			s.Create++
		case len(t.Steps) > 0:
			s.Change++
		}
		if len(t.Refusals) > 0 {
			s.Refused++
		}
	}
	return s
}

// ExitStatus is 1 when something could not be planned, else 2 when applying the manifests would not be the same as leaving
// it, else 0. A refusal is a difference too: the topic is not what its manifest says.
func (p Plan) ExitStatus() int {
	s := p.Summary()
	switch {
	case p.Failure != "" || len(p.Problems) > 0 || s.Failed > 0 || (p.RefusalFails && s.Refused > 0):
		return ExitFailed
	case s.Create+s.Change+s.Refused > 0:
		return ExitChanges
	}
	return ExitUnchanged
}

func creates(steps []topic.Step) bool {
	if len(steps) == 0 {
		return false
	}
	_, creates := steps[0].(topic.Create)
	return creates
}

// change is one line of a plan.
type change struct{ action, sign, text string }

// changesOf are the lines of a step: + for what comes, - for what goes, ~ for what becomes another.
func changesOf(s topic.Step) []change {
	action, sign := "other", "~"
	switch s := s.(type) {
	case topic.Create:
		action, sign = "create", "+"
	case topic.Grow:
		action, sign = "grow", "+"
	case topic.Remove:
		action, sign = "delete", "-"
	case topic.Unthrottle:
		action, sign = "unthrottle", "-"
	case topic.Reassign:
		action = "reassign"
	case topic.Elect:
		action = "elect"
	case topic.Configure:
		var changes []change
		for _, c := range s.Changes {
			changes = append(changes, changeOf(c))
		}
		return changes
	}
	var changes []change
	for _, line := range s.Lines() {
		changes = append(changes, change{action, sign, line})
	}
	return changes
}

func changeOf(c topic.Change) change {
	switch {
	case c.To == nil:
		return change{"reset", "-", c.String()}
	case c.From == nil:
		return change{"set", "+", c.String()}
	}
	return change{"set", "~", c.String()}
}
