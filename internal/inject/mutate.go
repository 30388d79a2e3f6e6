package inject

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"

	"mooring.dev/mooring/api/v1alpha1"
)

// Mutate gives a pod its contract, and reports what was decided. It is total, changes no argument, and comes to the same
// pod when it runs again on its own result: what was given before is taken back first. A refused pod comes back as it was;
// so does one under enforcement Audit, but for the status annotation.
func Mutate(pod *corev1.Pod, b Binding) (*corev1.Pod, Report) {
	report := Report{Verdict: Refused, Profile: b.profile()}
	bare, before, err := Strip(pod)
	if err != nil {
		report.Refusal = refuse(ReasonAnnotationInvalid, annotationField(v1alpha1.AnnotationProducerStatus), "%v", err)
		if b.audits() {
			report.Verdict = Audited
		}
		return pod.DeepCopy(), report
	}
	// Annotations of ours without a status are a copy from another pod.
	maps.DeleteFunc(bare.Annotations, func(key, _ string) bool { return isOurs(key) })
	out := bare.DeepCopy()
	status := Status{Verdict: Injected, Profile: b.profile(), By: b.By, Added: &Added{}}
	if before.Added != nil {
		status.Added.Ports = before.Added.Ports
	}
	refusal := inject(out, b, &status)
	report.Decisions, report.Hash, report.Containers, report.Refusal = status.Decisions, status.Hash, status.Containers, refusal
	switch {
	case b.audits():
		report.Verdict = Audited
		return audited(bare, status, refusal), report
	case refusal != nil:
		return pod.DeepCopy(), report
	}
	report.Verdict = Injected
	return out, report
}

// Refuse reports a refusal that came before a binding: the profile is not there, or does not let the pod in. A profile that
// only audits admits the pod, and writes the refusal down; p is nil where there is none to ask.
func Refuse(pod *corev1.Pod, p *v1alpha1.ProducerProfile, by By, refusal *Refusal) (*corev1.Pod, Report) {
	report := Report{Verdict: Refused, Refusal: refusal}
	if p == nil {
		return pod.DeepCopy(), report
	}
	report.Profile = p.Namespace + "/" + p.Name
	if p.Spec.Enforcement != v1alpha1.EnforcementAudit {
		return pod.DeepCopy(), report
	}
	report.Verdict = Audited
	bare, _, err := Strip(pod)
	if err != nil {
		return pod.DeepCopy(), report
	}
	return audited(bare, Status{Profile: report.Profile, By: by}, refusal), report
}

// audited is a pod as it was, with what would have been done to it.
func audited(bare *corev1.Pod, status Status, refusal *Refusal) *corev1.Pod {
	status.Verdict, status.Added, status.Spec = Audited, nil, ""
	if refusal != nil {
		status.Refusal = refusal.Sentence()
	}
	text := status.text()
	all := maps.Clone(bare.Annotations)
	if all == nil {
		all = make(map[string]string, 1)
	}
	all[v1alpha1.AnnotationProducerStatus] = text
	if checkSize(all) == nil { // an audit never keeps a pod from starting
		bare.Annotations = all
	}
	return bare
}

// inject changes a pod that carries nothing of ours, and fills in the status. The pod is of no use after a refusal.
func inject(pod *corev1.Pod, b Binding, status *Status) *Refusal {
	request, refusal := ReadRequest(pod.Annotations, b.Namespace)
	if refusal != nil {
		return refusal
	}
	b = b.withListeners(request.Listeners)
	if refusal := checkConfig(b); refusal != nil {
		return refusal
	}
	if refusal := checkPod(pod); refusal != nil {
		return refusal
	}
	f := factsOf(&pod.ObjectMeta, b)
	if f.containers, refusal = selectContainers(pod, request.Containers); refusal != nil {
		return refusal
	}
	var moved, grown []Decision
	f.ports, moved = choosePorts(pod, b, status.Added.Ports)
	r, refusal := render(b, f)
	if refusal != nil {
		return refusal
	}
	if status.Added.Grace, grown, refusal = judgeGrace(pod, b); refusal != nil {
		return refusal
	}
	status.Hash, status.Spec, status.Containers, status.Added.Ports = b.Config.Hash(), r.spec(), f.containers, f.ports
	status.Decisions = slices.Concat(moved, r.decisions, grown)
	if refusal := injectContainers(pod, b, r, status); refusal != nil {
		return refusal
	}
	injectPod(pod, b, r, status)
	return checkSize(pod.Annotations)
}

func injectContainers(pod *corev1.Pod, b Binding, r rendering, status *Status) (refusal *Refusal) {
	status.Added.Env = make(map[string][]string)
	eachContainer(pod, func(c *corev1.Container) {
		if refusal != nil || !slices.Contains(status.Containers, c.Name) {
			return
		}
		if refusal = checkMounts(c, r); refusal != nil {
			return
		}
		vars := r.env[c.Name]
		change := change{container: c.Name, policy: b.injection().Conflict, own: c.Env}
		change.mergeInto(vars)
		change.inject(vars)
		change.noteEnvFrom(c.EnvFrom)
		if refusal = change.refusal; refusal != nil {
			return
		}
		if len(change.prepend) > 0 || len(change.replaced) > 0 {
			c.Env = slices.Concat(change.prepend, change.own)
		}
		c.VolumeMounts = append(c.VolumeMounts, mountsOf(r)...)
		status.Added.Env[c.Name] = namesOf(change.prepend)
		status.Added.Replaced = append(status.Added.Replaced, change.replaced...)
		status.Added.Merged = append(status.Added.Merged, change.merged...)
		status.Decisions = append(status.Decisions, change.decisions...)
	})
	return refusal
}

func namesOf(env []corev1.EnvVar) []string {
	names := make([]string, 0, len(env))
	for _, e := range env {
		names = append(names, e.Name)
	}
	return names
}

// injectPod does what is not about one container of the application.
func injectPod(pod *corev1.Pod, b Binding, r rendering, status *Status) {
	if r.shim != nil {
		shim := r.shim.DeepCopy()
		shim.Resources = shimResources(pod, b)
		declareHostPorts(pod, shim, status.Added.Ports)
		pod.Spec.InitContainers = slices.Insert(pod.Spec.InitContainers, 0, *shim)
	}
	pod.Spec.Volumes = append(pod.Spec.Volumes, r.volumes...)
	if g := status.Added.Grace; g != nil {
		pod.Spec.TerminationGracePeriodSeconds = new(g.Now)
	}
	if pod.Annotations == nil {
		pod.Annotations = make(map[string]string)
	}
	pod.Annotations[v1alpha1.AnnotationContract] = r.contract
	for _, file := range r.files {
		pod.Annotations[annotationOf(file.Name)] = file.Content
	}
	pod.Annotations[v1alpha1.AnnotationProducerStatus] = status.text()
}

// declareHostPorts tells the scheduler which ports of the node the shim takes. Those of brokers are chosen by the kernel.
func declareHostPorts(pod *corev1.Pod, shim *corev1.Container, ports Ports) {
	if !pod.Spec.HostNetwork {
		return
	}
	shim.Args = append(shim.Args, "--node-addresses", "Ports") // loopback addresses are the node's too, and other pods' shims have them
	for _, p := range []struct {
		name string
		port int32
	}{{"mooring-kafka", ports.Kafka}, {"mooring-http", ports.HTTP}} {
		if p.port != 0 {
			shim.Ports = append(shim.Ports, corev1.ContainerPort{Name: p.name, ContainerPort: p.port, Protocol: corev1.ProtocolTCP})
		}
	}
	for i := range shim.Ports {
		shim.Ports[i].HostPort = shim.Ports[i].ContainerPort
	}
}
