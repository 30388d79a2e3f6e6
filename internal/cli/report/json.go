package report

import (
	"bytes"
	"encoding/json"

	"mooring.dev/mooring/internal/cli/manifest"
)

// jsonVersion is that of the shape below. Fields may come; one that goes or changes its meaning makes a new version.
const jsonVersion = 1

type jsonPlan struct {
	Version    int           `json:"version"`
	ExitStatus int           `json:"exitStatus"`
	Ownership  string        `json:"ownership"`
	Summary    Summary       `json:"summary"`
	Clusters   []jsonCluster `json:"clusters"`
	Topics     []jsonTopic   `json:"topics"`
	Problems   []jsonProblem `json:"problems"`
	Notes      []string      `json:"notes"`
	Failure    string        `json:"failure,omitempty"`
}

type jsonCluster struct {
	Name string `json:"name,omitempty"`
	ID   string `json:"id"`
}

type jsonTopic struct {
	Namespace string        `json:"namespace"`
	Name      string        `json:"name"`
	Cluster   string        `json:"cluster"`
	Topic     string        `json:"topic"`
	File      string        `json:"file"`
	Line      int           `json:"line"`
	State     string        `json:"state"`
	Changes   []jsonChange  `json:"changes"`
	Waits     string        `json:"waits,omitempty"`
	Verdict   string        `json:"verdict,omitempty"`
	Refusals  []jsonRefusal `json:"refusals"`
	Notes     []string      `json:"notes,omitempty"`
	Error     string        `json:"error,omitempty"`
}

type jsonChange struct {
	Action string `json:"action"`
	Text   string `json:"text"`
}

type jsonRefusal struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

type jsonProblem struct {
	File     string `json:"file"`
	Document int    `json:"document"`
	Line     int    `json:"line"`
	Object   string `json:"object,omitempty"`
	Field    string `json:"field,omitempty"`
	Message  string `json:"message"`
}

// JSON is the plan for programs. Lists are never null.
func (p Plan) JSON() ([]byte, error) {
	out := jsonPlan{
		Version: jsonVersion, ExitStatus: p.ExitStatus(), Ownership: p.Ownership, Summary: p.Summary(), Failure: p.Failure,
		Clusters: []jsonCluster{}, Topics: []jsonTopic{}, Problems: jsonProblems(p.Problems), Notes: append([]string{}, p.Notes...),
	}
	for _, c := range p.Clusters {
		out.Clusters = append(out.Clusters, jsonCluster(c))
	}
	for _, t := range p.Topics {
		out.Topics = append(out.Topics, jsonTopicOf(t))
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(out)
	return b.Bytes(), err
}

func jsonTopicOf(t Topic) jsonTopic {
	out := jsonTopic{
		Namespace: t.Namespace, Name: t.Name, Cluster: t.Cluster, Topic: t.TopicName, File: t.Source.File, Line: t.Source.Line,
		State: t.State, Waits: t.Waits, Verdict: t.Verdict, Notes: t.Notes, Error: t.Error,
		Changes: []jsonChange{}, Refusals: []jsonRefusal{},
	}
	for _, s := range t.Steps {
		for _, c := range changesOf(s) {
			out.Changes = append(out.Changes, jsonChange{Action: c.action, Text: c.text})
		}
	}
	for _, r := range t.Refusals {
		out.Refusals = append(out.Refusals, jsonRefusal(r))
	}
	return out
}

func jsonProblems(problems []manifest.Problem) []jsonProblem {
	out := []jsonProblem{}
	for _, p := range problems {
		out = append(out, jsonProblem{File: p.Source.File, Document: p.Source.Document, Line: p.Source.Line, Object: p.Object, Field: p.Field, Message: p.Message})
	}
	return out
}
