package cli

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/cli/manifest"
	"mooring.dev/mooring/internal/inject"
)

// injectOptions are the flags of inject and uninject.
type injectOptions struct {
	Files     []string
	Recursive bool
	Namespace string
	Image     string
}

func (a App) injectCommand() *cobra.Command {
	var o injectOptions
	cmd := &cobra.Command{
		Use:   "inject -f FILE|DIR|-",
		Short: "Print workloads as the operator's webhook would make them, without a cluster",
		Long: `Print workloads as the operator's webhook would make them, without a cluster.

Pods, Deployments, StatefulSets, DaemonSets, Jobs, CronJobs and ReplicaSets whose annotation ` + v1alpha1.AnnotationProducerProfile + ` names a
ProducerProfile, or that a profile's selector binds, come out with the contract; everything else comes out as it is. Profiles, their KafkaClusters,
the Secrets with the certificates of spec.tls.caBundleRef, and Namespaces with their labels are read from the files too, and are not printed.
What was decided, and why, is said on standard error. Exit status 1: a workload would be refused.`,
		Example: "  kubectl mooring inject -f deployment.yaml -f profiles/ | kubectl diff -f -",
		Args:    byFlag,
		RunE:    func(*cobra.Command, []string) error { return a.runInject(&o) },
	}
	o.register(cmd)
	cmd.Flags().StringVar(&o.Image, "shim-image", "mooring:dev", "image of the producer shim")
	return cmd
}

func (a App) uninjectCommand() *cobra.Command {
	var o injectOptions
	cmd := &cobra.Command{
		Use:     "uninject -f FILE|DIR|-",
		Short:   "Print workloads without what was injected",
		Long:    "Print workloads and pods as they were before the contract was injected, by the webhook or by \"inject\". Their own annotations stay, so that they are injected again where the operator runs.",
		Example: "  kubectl get pod checkout-5d4f-x2x1 -o yaml | kubectl mooring uninject -f -",
		Args:    byFlag,
		RunE:    func(*cobra.Command, []string) error { return a.runUninject(&o) },
	}
	o.register(cmd)
	return cmd
}

func (o *injectOptions) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVarP(&o.Files, "filename", "f", nil, "file or folder with manifests, YAML or JSON; - is standard input; can be given several times")
	flags.BoolVarP(&o.Recursive, "recursive", "R", false, "look in the folders below too")
	flags.StringVarP(&o.Namespace, "namespace", "n", "default", "namespace of manifests that name none")
}

func (a App) readObjects(o *injectOptions, verb string) ([]manifest.Object, error) {
	if len(o.Files) == 0 {
		return nil, errors.New("which manifests? name them with -f FILE, -f DIR or -f - for standard input")
	}
	inputs, err := a.readInputs(verb, o.Files, o.Recursive)
	if err != nil {
		return nil, err
	}
	reader, err := manifest.NewReader()
	if err != nil {
		return nil, err
	}
	var objects []manifest.Object
	for _, in := range inputs {
		for _, object := range reader.Read(in.name, in.data, o.Namespace) {
			if object.Content == nil {
				return nil, fmt.Errorf("%s: this is no object", object.Source)
			}
			objects = append(objects, object)
		}
	}
	return objects, nil
}

func (a App) runInject(o *injectOptions) error {
	objects, err := a.readObjects(o, "inject")
	if err != nil {
		return err
	}
	world, err := newOfflineWorld(objects, o.Image)
	if err != nil {
		return err
	}
	refused, first := false, true
	for i := range objects {
		if world.isInput(&objects[i]) {
			continue
		}
		content, report, err := world.inject(&objects[i], o.Namespace)
		if err != nil {
			return fmt.Errorf("%s: %w", objects[i].Source, err)
		}
		a.explainReport(objects[i].String(), report)
		refused = refused || report.Verdict == inject.Refused
		if err := a.printObject(content, &first); err != nil {
			return err
		}
	}
	if refused {
		return exitStatus(1)
	}
	return nil
}

func (a App) explainReport(name string, report inject.Report) {
	if report.Refusal != nil {
		a.complain("%s: %s: %s (%s)", name, report.Verdict, report.Refusal.Sentence(), report.Refusal.Reason)
	}
	if report.Verdict == inject.Injected {
		a.note("%s: injected ProducerProfile %s, contract %s", name, report.Profile, report.Hash)
	}
	for _, d := range report.Decisions {
		a.note("%s: %s %s %s: %s", name, d.Reason, d.Container, d.Subject, d.Message)
	}
}

func (a App) printObject(content map[string]any, first *bool) error {
	text, err := yaml.Marshal(content)
	if err != nil {
		return err
	}
	if !*first {
		fmt.Fprintln(a.Out, "---")
	}
	*first = false
	_, err = a.Out.Write(text)
	return err
}

func (a App) runUninject(o *injectOptions) error {
	objects, err := a.readObjects(o, "uninject")
	if err != nil {
		return err
	}
	first := true
	for i := range objects {
		content := objects[i].Content
		path, ok := templatePath(&objects[i])
		if ok {
			err := editTemplate(content, path, func(pod *corev1.Pod) (*corev1.Pod, error) {
				out, _, err := inject.Strip(pod)
				if err == nil && len(path) > 0 {
					out.Annotations, _ = inject.CopyToTemplate(nil, out.Annotations)
				}
				return out, err
			})
			if err != nil {
				return fmt.Errorf("%s: annotation %s: %w", objects[i].Source, v1alpha1.AnnotationProducerStatus, err)
			}
		}
		if err := a.printObject(content, &first); err != nil {
			return err
		}
	}
	return nil
}

// templatePath is where a pod, or a pod template, is in an object; false for other kinds.
func templatePath(o *manifest.Object) ([]string, bool) {
	if o.GVK.Group == "" && o.GVK.Kind == "Pod" {
		return nil, true
	}
	if !slices.Contains([]string{"apps", "batch"}, o.GVK.Group) {
		return nil, false
	}
	path := inject.TemplatePath(o.GVK.Kind)
	return path, path != nil
}

// editTemplate changes the metadata and the spec of a pod in an object, where they differ.
func editTemplate(content map[string]any, path []string, edit func(*corev1.Pod) (*corev1.Pod, error)) error {
	template := content
	if len(path) > 0 {
		inner, found, err := unstructured.NestedFieldNoCopy(content, path...)
		m, isMap := inner.(map[string]any)
		if err != nil || !found || !isMap {
			return fmt.Errorf("it has no pod template at %v", path)
		}
		template = m
	}
	var pod corev1.Pod
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(map[string]any{"metadata": orEmpty(template["metadata"]), "spec": orEmpty(template["spec"])}, &pod); err != nil {
		return err
	}
	out, err := edit(&pod)
	if err != nil {
		return err
	}
	changed, err := runtime.DefaultUnstructuredConverter.ToUnstructured(out)
	if err != nil {
		return err
	}
	template["spec"] = changed["spec"]
	metadata, _ := orEmpty(template["metadata"]).(map[string]any)
	delete(metadata, "annotations")
	if annotations, found, _ := unstructured.NestedMap(changed, "metadata", "annotations"); found && len(annotations) > 0 {
		metadata["annotations"] = annotations
	}
	template["metadata"] = metadata
	return nil
}

func orEmpty(v any) any {
	if m, ok := v.(map[string]any); ok && m != nil {
		return m
	}
	return map[string]any{}
}
