package inject

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"

	"mooring.dev/mooring/internal/producer"
)

// nobody is the user and group of the shim: no image has files of it.
const nobody = 65532

// shimContainer is the shim as a native sidecar: it starts before every other container, ends after them, and does not keep
// a Job from completing. Defaults of the API server are written out, so that a second run finds nothing to change.
func shimContainer(b Binding, f facts, t transaction) *corev1.Container {
	status := intstr.FromInt32(f.ports.Status)
	statusListen := fmt.Sprintf(":%d", f.ports.Status)
	c := &corev1.Container{
		Name:    ContainerShim,
		Image:   b.Shim.Name,
		Command: []string{"mooring-shim"},
		Args:    []string{"--contract", pathContract, "--status-listen", statusListen},
		Env: []corev1.EnvVar{
			fieldVar(EnvPodName, "metadata.name"),
			{Name: "GOMEMLIMIT", ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{Resource: "limits.memory"}}},
		},
		Ports:         []corev1.ContainerPort{{Name: "mooring-status", ContainerPort: f.ports.Status, Protocol: corev1.ProtocolTCP}},
		RestartPolicy: new(corev1.ContainerRestartPolicyAlways),
		// The kubelet starts the next container when this hook has ended, and the shim listens then. A startup probe says the same, but
		// a kubelet looks at a probe once a second, after it has seen the container run: that is a second of every pod's start.
		// It listens before it knows whether Kafka is there: an outage of Kafka must not keep the application from starting.
		Lifecycle: &corev1.Lifecycle{PostStart: &corev1.LifecycleHandler{
			Exec: &corev1.ExecAction{Command: []string{"mooring-shim", "--await", "--status-listen", statusListen}}}},
		LivenessProbe: &corev1.Probe{ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: "/livez", Port: status, Scheme: corev1.URISchemeHTTP}},
			PeriodSeconds: 10, FailureThreshold: 3, TimeoutSeconds: 3, SuccessThreshold: 1},
		ImagePullPolicy:          pullPolicy(b.Shim),
		TerminationMessagePath:   corev1.TerminationMessagePathDefault,
		TerminationMessagePolicy: corev1.TerminationMessageReadFile,
		VolumeMounts:             []corev1.VolumeMount{{Name: VolumeFiles, MountPath: producer.DirFiles, ReadOnly: true}},
		SecurityContext: &corev1.SecurityContext{
			RunAsNonRoot: new(true), RunAsUser: new(int64(nobody)), RunAsGroup: new(int64(nobody)),
			ReadOnlyRootFilesystem: new(true), AllowPrivilegeEscalation: new(false), Privileged: new(false),
			Capabilities:   &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
	}
	if t.needs(EnvPodOrdinal) {
		c.Env = append(c.Env, fieldVar(EnvPodOrdinal, "metadata.labels['"+labelPodIndex+"']"))
	}
	if b.Config.Security.SecretName != "" {
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: VolumeCredentials, MountPath: producer.DirCredentials, ReadOnly: true})
	}
	return c
}

func pullPolicy(image Image) corev1.PullPolicy {
	if image.PullPolicy != "" {
		return image.PullPolicy
	}
	name := image.Name[strings.LastIndexByte(image.Name, '/')+1:]
	if strings.Contains(name, "@") || strings.Contains(name, ":") && !strings.HasSuffix(name, ":latest") {
		return corev1.PullIfNotPresent
	}
	return corev1.PullAlways
}

// shimResources are small. In a pod whose quality of service is Guaranteed the requests are as large as the limits, so that
// it stays Guaranteed.
func shimResources(pod *corev1.Pod, b Binding) corev1.ResourceRequirements {
	memory := resource.MustParse("96Mi")
	if _, http := b.listens(); http { // what waits in the HTTP listener's own producer
		buffer := int64(32 << 20)
		if text, ok := b.Config.Get("buffer.memory"); ok {
			if q, err := resource.ParseQuantity(text); err == nil && q.Value() > 0 {
				buffer = min(q.Value(), 4<<30)
			}
		}
		memory.Add(*resource.NewQuantity(buffer, resource.BinarySI))
	}
	limits := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1"), corev1.ResourceMemory: memory}
	requests := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("10m"), corev1.ResourceMemory: resource.MustParse("24Mi")}
	if isGuaranteed(pod) {
		limits[corev1.ResourceCPU] = resource.MustParse("100m")
		requests = limits.DeepCopy()
	}
	return corev1.ResourceRequirements{Limits: limits, Requests: requests}
}

// isGuaranteed says whether every container has CPU and memory limits, and requests no less.
func isGuaranteed(pod *corev1.Pod) bool {
	containers := len(pod.Spec.Containers)
	eachContainer(pod, func(c *corev1.Container) {
		for _, name := range []corev1.ResourceName{corev1.ResourceCPU, corev1.ResourceMemory} {
			limit, limited := c.Resources.Limits[name]
			request, requested := c.Resources.Requests[name]
			if !limited || limit.IsZero() || requested && request.Cmp(limit) != 0 {
				containers = 0
			}
		}
	})
	return containers > 0
}

// eachContainer visits the init containers and the containers, in their order.
func eachContainer(pod *corev1.Pod, visit func(*corev1.Container)) {
	for i := range pod.Spec.InitContainers {
		visit(&pod.Spec.InitContainers[i])
	}
	for i := range pod.Spec.Containers {
		visit(&pod.Spec.Containers[i])
	}
}
