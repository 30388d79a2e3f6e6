package cli

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/inject"
)

// auditOptions are the flags of audit.
type auditOptions struct {
	Kube          kubeFlags
	AllNamespaces bool
}

func (a App) auditCommand() *cobra.Command {
	var o auditOptions
	cmd := &cobra.Command{
		Use:   "audit [-n NAMESPACE | -A]",
		Short: "Show what each workload's producers were given, and what could not be enforced",
		Long: `Show what each workload's producers were given, and what could not be enforced.

One line for each workload with pods that carry a ProducerProfile or ask for one: the profile, whether it is enforced, how many pods carry it, which
variables of the workload's own were replaced, which were kept or cannot be seen, and whether the topics keep what the profile promises.
Exit status 2: something is not enforced.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runAudit(cmd.Context(), &o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Kube.Kubeconfig, "kubeconfig", "", "path of the kubeconfig file")
	flags.StringVar(&o.Kube.Context, "context", "", "kube context")
	flags.StringVarP(&o.Kube.Namespace, "namespace", "n", "", "namespace to look at")
	flags.BoolVarP(&o.AllNamespaces, "all-namespaces", "A", false, "look at all namespaces")
	return cmd
}

func (a App) runAudit(ctx context.Context, o *auditOptions) error {
	k, err := a.Kube(o.Kube)
	if err != nil {
		return err
	}
	var scope []client.ListOption
	if !o.AllNamespaces {
		scope = append(scope, client.InNamespace(k.namespace))
	}
	var pods corev1.PodList
	if err := k.reader.List(ctx, &pods, scope...); err != nil {
		return fmt.Errorf("list Pods: %w", err)
	}
	var profiles v1alpha1.ProducerProfileList
	err = k.reader.List(ctx, &profiles)
	if notInstalled(err) {
		return errNotInstalled
	}
	if err != nil {
		return fmt.Errorf("list ProducerProfiles: %w", err)
	}
	lines := auditLines(pods.Items, profiles.Items)
	if len(lines) == 0 {
		a.note("no pod carries a ProducerProfile or asks for one")
		return nil
	}
	if err := a.printAudit(lines); err != nil {
		return err
	}
	if slices.ContainsFunc(lines, func(l auditLine) bool { return !l.enforced() }) {
		return exitStatus(2)
	}
	return nil
}

// auditLine is one workload.
type auditLine struct {
	namespace, workload, profile, durable string
	verdicts                              map[inject.Verdict]int
	missed                                int
	replaced, open                        map[string]bool
}

func (l auditLine) enforced() bool {
	return l.missed == 0 && l.verdicts[inject.Audited] == 0 && len(l.open) == 0
}

func (l auditLine) mode() string {
	switch {
	case l.missed > 0:
		return fmt.Sprintf("Missed (%d pods)", l.missed)
	case l.verdicts[inject.Audited] > 0:
		return "Audit"
	}
	return "Enforce"
}

// auditLines sums pods up by workload and profile.
func auditLines(pods []corev1.Pod, profiles []v1alpha1.ProducerProfile) []auditLine {
	durable := make(map[string]string)
	for i := range profiles {
		if c := meta.FindStatusCondition(profiles[i].Status.Conditions, v1alpha1.ConditionDurable); c != nil {
			durable[profiles[i].Namespace+"/"+profiles[i].Name] = c.Reason
		}
	}
	byKey := make(map[string]*auditLine)
	for i := range pods {
		pod := &pods[i]
		status, injected, err := inject.StatusOf(pod.Annotations)
		request, _ := inject.ReadRequest(pod.Annotations, pod.Namespace)
		if pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed || !injected && request.Name == "" {
			continue
		}
		profile := request.Namespace + "/" + request.Name
		if injected && err == nil {
			profile = status.Profile
		}
		workload := inject.WorkloadOf(&pod.ObjectMeta)
		key := pod.Namespace + " " + workload + " " + profile
		l := byKey[key]
		if l == nil {
			l = &auditLine{namespace: pod.Namespace, workload: workload, profile: profile, durable: cmp.Or(durable[profile], v1alpha1.ReasonUnknown),
				verdicts: make(map[inject.Verdict]int), replaced: make(map[string]bool), open: make(map[string]bool)}
			byKey[key] = l
		}
		l.add(status, injected && err == nil)
	}
	lines := make([]auditLine, 0, len(byKey))
	for _, key := range slices.Sorted(maps.Keys(byKey)) {
		lines = append(lines, *byKey[key])
	}
	return lines
}

func (l *auditLine) add(status inject.Status, injected bool) {
	if !injected {
		l.missed++
		return
	}
	l.verdicts[status.Verdict]++
	if status.Refusal != "" {
		l.open["would be refused: "+status.Refusal] = true
	}
	for _, d := range status.Decisions {
		switch d.Reason {
		case inject.ReasonOverridden, inject.ReasonMerged:
			l.replaced[d.Subject] = true
		case inject.ReasonKept, inject.ReasonLeftOut, inject.ReasonUnseen, inject.ReasonGraceTooShort:
			l.open[fmt.Sprintf("%s %s", d.Reason, d.Subject)] = true
		}
	}
}

func (a App) printAudit(lines []auditLine) error {
	w := tabwriter.NewWriter(a.Out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "NAMESPACE\tWORKLOAD\tPROFILE\tMODE\tPODS\tDURABLE\tREPLACED\tNOT ENFORCED")
	list := func(m map[string]bool) string { return cmp.Or(strings.Join(slices.Sorted(maps.Keys(m)), ", "), "-") }
	for _, l := range lines {
		total := l.missed
		for _, n := range l.verdicts {
			total += n
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%s\t%s\t%s\n", l.namespace, l.workload, l.profile, l.mode(), total, l.durable, list(l.replaced), list(l.open))
	}
	return w.Flush()
}
