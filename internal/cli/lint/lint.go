// Package lint judges manifests of every kind without a cluster: each object as the API server and the webhooks would, and
// all of them together. It is pure: who calls it has read the files. Whatever the bytes are, it answers with findings.
package lint

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/cli/manifest"
	"mooring.dev/mooring/internal/producer"
)

// File is one file that was read. Its name is "-" for standard input.
type File struct {
	Name string
	Data []byte
}

// Finding is one breach of one rule, with the place to jump to.
type Finding struct {
	Rule     string            `json:"rule"`
	Severity producer.Severity `json:"severity"`
	File     string            `json:"file"`
	// Line and Column are counted from 1; EndColumn is the column after the field's name, 0 where it is not known.
	Line      int `json:"line"`
	Column    int `json:"column"`
	EndColumn int `json:"endColumn,omitempty"`
	// Object, as "KafkaTopic shop/orders"; "" where the document is not readable so far. Field is "" where it is about all of it.
	Object  string `json:"object,omitempty"`
	Field   string `json:"field,omitempty"`
	Message string `json:"message"`

	// general: the API server's words, which the values at hand are not in.
	general bool
}

// Result is what a run found, in the order of the files and lines.
type Result struct {
	Files, Objects int
	Findings       []Finding
}

// Count is the number of findings of a severity.
func (r Result) Count(s producer.Severity) int {
	n := 0
	for _, f := range r.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// Run judges files. namespace is that of manifests that name none. The error is a defect of this program.
func Run(files []File, namespace string) (Result, error) {
	reader, err := manifest.NewReader()
	if err != nil {
		return Result{}, err
	}
	l := newLinter()
	for _, f := range files {
		for _, o := range reader.Read(f.Name, f.Data, namespace) {
			l.add(&o, namespace)
		}
	}
	l.judgeTwice()
	l.judgeClusters()
	l.judgeTopics()
	l.judgeProfiles()
	l.judgeWorkloads()
	order := make(map[string]int)
	for i, f := range files {
		order[f.Name] = i
	}
	slices.SortStableFunc(l.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(order[a.File], order[b.File]), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Message, b.Message))
	})
	for i := range l.findings {
		l.findings[i].general = false // two that say the same are one, whoever says it
	}
	return Result{Files: len(files), Objects: len(l.objects), Findings: slices.Compact(l.findings)}, nil
}

// typed is an object with what it says.
type typed[T any] struct {
	*manifest.Object
	value T
	// sound objects have no fault, so that what crosses objects can be judged by them.
	sound bool
}

// linter holds what was read, and gathers what is wrong with it.
type linter struct {
	objects    []*manifest.Object
	clusters   []typed[*v1alpha1.KafkaCluster]
	topics     []typed[*v1alpha1.KafkaTopic]
	profiles   []typed[*v1alpha1.ProducerProfile]
	workloads  []workload
	namespaces map[string]map[string]string // labels of those in the files
	findings   []Finding
}

func newLinter() *linter {
	return &linter{namespaces: make(map[string]map[string]string)}
}

func (l *linter) add(o *manifest.Object, namespace string) {
	if o.Content != nil {
		l.objects = append(l.objects, o)
	}
	l.judgeObject(o)
	l.judgeKeys(o)
	switch {
	case o.GVK.GroupVersion() == v1alpha1.GroupVersion:
		switch o.GVK.Kind {
		case manifest.KindCluster:
			l.clusters = appendTyped(l, l.clusters, o, &v1alpha1.KafkaCluster{})
		case manifest.KindTopic:
			l.topics = appendTyped(l, l.topics, o, &v1alpha1.KafkaTopic{})
		case manifest.KindProfile:
			l.profiles = appendTyped(l, l.profiles, o, &v1alpha1.ProducerProfile{})
		}
	case o.GVK.Group == "" && o.GVK.Kind == "Namespace":
		labels := map[string]string{corev1.LabelMetadataName: o.Name()}
		for key, value := range texts(at(o.Content, "metadata", "labels")) {
			labels[key] = value
		}
		l.namespaces[o.Name()] = labels
	default:
		if w, ok := workloadOf(o, namespace); ok {
			l.workloads = append(l.workloads, w)
		}
	}
}

// appendTyped keeps what can be decoded. What cannot has a fault that says so; where it has none, the decoder's words are better
// than silence.
func appendTyped[T any](l *linter, all []typed[T], o *manifest.Object, into T) []typed[T] {
	if o.Content == nil {
		return all
	}
	if err := o.Decode(into); err != nil {
		if len(o.Faults) == 0 {
			l.report(o, ruleSchema, "", "it cannot be read: "+err.Error())
		}
		return all
	}
	return append(all, typed[T]{o, into, len(o.Faults) == 0})
}

// report adds a finding of a rule's own severity.
func (l *linter) report(o *manifest.Object, rule, field, message string) {
	r, _ := RuleOf(rule)
	l.reportAs(o, rule, r.Severity, field, message)
}

func (l *linter) reportAs(o *manifest.Object, rule string, severity producer.Severity, field, message string) {
	place := o.Position(field)
	l.findings = append(l.findings, Finding{
		Rule: rule, Severity: severity, File: o.Source.File, Line: place.Line, Column: place.Column, EndColumn: place.EndColumn,
		Object: o.String(), Field: field, Message: message,
	})
}

// has says whether an object has an error already about a field.
func (l *linter) has(o *manifest.Object, field string) bool {
	return slices.ContainsFunc(l.findings, func(f Finding) bool {
		return f.Severity == producer.Error && f.File == o.Source.File && f.Object == o.String() && f.Field == field
	})
}

// judgeTwice finds objects that are there twice.
func (l *linter) judgeTwice() {
	first := make(map[string]*manifest.Object)
	for _, o := range l.objects {
		if o.GVK.Group != v1alpha1.GroupVersion.Group || o.Name() == "" {
			continue
		}
		if before := first[o.String()]; before != nil {
			l.report(o, ruleTwice, "metadata.name", place(before)+" has the same "+o.GVK.Kind+", and the one applied last overwrites the other; remove one of them or rename it")
			continue
		}
		first[o.String()] = o
	}
}

// place is where an object is named: file:line.
func place(o *manifest.Object) string {
	s := o.Source
	s.Line = o.Position("metadata.name").Line
	return s.String()
}
