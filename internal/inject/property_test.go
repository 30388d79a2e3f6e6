package inject

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	jsonpatch "github.com/evanphx/json-patch/v5"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/producer"
)

// randomPod is a pod that somebody might write, words among its values.
func randomPod(r *rand.Rand, words ...string) *corev1.Pod {
	words = append(words, "KAFKA_ACKS", "KAFKA_RETRIES", "KAFKA_BOOTSTRAP_SERVERS", "SPRING_APPLICATION_JSON", "JAVA_TOOL_OPTIONS", "all", "1", "$(A)",
		`{"spring":{"kafka":{"producer":{"acks":1}}}}`, "-Dspring.kafka.producer.acks=0 -Xmx1g", "A", "")
	word := func() string { return words[r.IntN(len(words))] }
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: word()}}
	if r.IntN(2) == 0 {
		pod.Name, pod.GenerateName = "", "app-"
	}
	if r.IntN(3) > 0 {
		pod.Annotations = map[string]string{v1alpha1.AnnotationProducerProfile: "reliable"}
	}
	if r.IntN(8) == 0 {
		pod.Annotations = map[string]string{v1alpha1.AnnotationProducerContainers: "c0", v1alpha1.AnnotationProducerShim: []string{"all", "none", word()}[r.IntN(3)]}
	}
	if r.IntN(10) == 0 {
		pod.Annotations = map[string]string{v1alpha1.AnnotationProducerStatus: word(), AnnotationFilePrefix + "x": word()}
	}
	pod.Spec.HostNetwork = r.IntN(5) == 0
	if r.IntN(3) == 0 {
		pod.Spec.TerminationGracePeriodSeconds = new(r.Int64N(200))
	}
	for i := range r.IntN(4) + 1 {
		pod.Spec.Containers = append(pod.Spec.Containers, randomContainer(r, fmt.Sprint("c", i), word))
	}
	for i := range r.IntN(3) {
		pod.Spec.InitContainers = append(pod.Spec.InitContainers, randomContainer(r, fmt.Sprint("i", i), word))
	}
	return pod
}

func randomContainer(r *rand.Rand, name string, word func() string) corev1.Container {
	c := corev1.Container{Name: name, Image: "x"}
	for range r.IntN(7) {
		e := corev1.EnvVar{Name: word(), Value: word()}
		if r.IntN(4) == 0 {
			e.Value, e.ValueFrom = "", &corev1.EnvVarSource{ConfigMapKeyRef: &corev1.ConfigMapKeySelector{Key: word()}}
		}
		c.Env = append(c.Env, e)
	}
	if r.IntN(5) == 0 {
		c.EnvFrom = []corev1.EnvFromSource{{ConfigMapRef: &corev1.ConfigMapEnvSource{}}, {}}
	}
	if r.IntN(5) == 0 {
		c.Ports = []corev1.ContainerPort{{ContainerPort: PortKafka}, {ContainerPort: r.Int32()}}
	}
	if r.IntN(9) == 0 {
		c.VolumeMounts = []corev1.VolumeMount{{Name: word(), MountPath: "/etc/mooring"}}
	}
	return c
}

func randomBinding(r *rand.Rand, pod *corev1.Pod) Binding {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	p := &v1alpha1.ProducerProfile{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "reliable"}}
	p.Spec.Guarantee = v1alpha1.Guarantee(pick("", "AtLeastOnce", "Idempotent"))
	p.Spec.Enforcement = v1alpha1.Enforcement(pick("", "Enforce", "Enforce", "Audit"))
	p.Spec.Injection = &v1alpha1.ProducerInjection{
		Conflict: v1alpha1.ConflictPolicy(pick("", "Override", "Keep", "Deny")), Grace: v1alpha1.GracePolicy(pick("Warn", "Raise", "Deny")),
	}
	for _, f := range []v1alpha1.InjectionFormat{"properties", "env", "spring", "microprofile", "servicebinding", "aspire"} {
		if r.IntN(2) == 0 {
			p.Spec.Injection.Formats = append(p.Spec.Injection.Formats, f)
		}
	}
	if r.IntN(2) == 0 {
		p.Spec.Shim = &v1alpha1.ProducerShim{Listeners: v1alpha1.ShimListeners(pick("None", "Kafka", "HTTP", "All"))}
	}
	if r.IntN(4) == 0 {
		p.Spec.Guarantee, p.Spec.Transactions = v1alpha1.Transactional, &v1alpha1.ProducerTransactions{IDTemplate: pick("{pod}", "{workload}-{pod}-{container}", "{ordinal}")}
	}
	k := &v1alpha1.KafkaCluster{Spec: v1alpha1.KafkaClusterSpec{BootstrapServers: []string{"kafka:9092"}}}
	return Binding{Config: producer.Resolve(p, k, pod.Namespace), By: ByAnnotation, Shim: Image{Name: "mooring:1"}, Namespace: pod.Namespace, Seed: "s", Template: r.IntN(4) == 0}
}

// own are the variables of a container that are not ours.
func own(c corev1.Container, added []string) []string {
	var names []string
	for i, e := range c.Env {
		if i >= len(added) {
			names = append(names, e.Name)
		}
	}
	return names
}

// differs is the difference of two values, nil and empty being one. It asks for it only where there is one: cmp is slow, and
// a fuzzer wants to try much.
func differs(a, b any) string {
	if equality.Semantic.DeepEqual(a, b) {
		return ""
	}
	return cmp.Diff(a, b, cmpopts.EquateEmpty())
}

// changed is the same where nil and empty are two.
func changed(a, b any) string {
	if reflect.DeepEqual(a, b) {
		return ""
	}
	return "they differ, if only in nil and empty: " + cmp.Diff(a, b)
}

// holds fails the test where one of Mutate's promises does not hold for a pod.
func holds(t *testing.T, pod *corev1.Pod, b Binding) {
	t.Helper()
	before := pod.DeepCopy()
	once, report := Mutate(pod, b)
	if diff := changed(before, pod); diff != "" {
		t.Fatalf("Mutate changed its argument:\n%s", diff)
	}
	twice, _ := Mutate(once, b)
	if diff := differs(once, twice); diff != "" {
		t.Fatalf("%s: Mutate(Mutate(p)) is not Mutate(p) (-once +twice):\n%s", report.Verdict, diff)
	}
	if report.Verdict != Injected {
		if diff := differs(before.Spec, once.Spec); diff != "" {
			t.Fatalf("%s, and the spec changed:\n%s", report.Verdict, diff)
		}
		return
	}
	keepsOrder(t, before, once, report)
	if bad := badEnv(once); len(bad) > 0 {
		t.Fatalf("variables with value and valueFrom: %q", bad)
	}
	once.Namespace = b.Namespace
	if got := Refresh(&once.ObjectMeta, b); got.State != Current {
		t.Fatalf("a pod that was just injected is %s: %v %v", got.State, got.Refusal, got.Annotations)
	}
}

func badEnv(pod *corev1.Pod) (bad []string) {
	eachContainer(pod, func(c *corev1.Container) {
		for _, e := range c.Env {
			if e.Value != "" && e.ValueFrom != nil {
				bad = append(bad, c.Name+"/"+e.Name)
			}
		}
	})
	return bad
}

func keepsOrder(t *testing.T, before, after *corev1.Pod, report Report) {
	t.Helper()
	status, _, err := StatusOf(after.Annotations)
	if err != nil {
		t.Fatal(err)
	}
	rest := after.Spec.InitContainers
	if len(rest) > 0 && rest[0].Name == ContainerShim {
		rest = rest[1:]
	}
	was, is := slices.Concat(before.Spec.InitContainers, before.Spec.Containers), slices.Concat(rest, after.Spec.Containers)
	if len(was) != len(is) {
		t.Fatalf("%d containers became %d", len(was), len(is))
	}
	for i := range was {
		if was[i].Name != is[i].Name {
			t.Fatalf("container %d was %s and is %s", i, was[i].Name, is[i].Name)
		}
		if !slices.Contains(report.Containers, was[i].Name) {
			if diff := changed(was[i], is[i]); diff != "" {
				t.Fatalf("container %s was not selected, and changed:\n%s", was[i].Name, diff)
			}
			continue
		}
		left := own(is[i], status.Added.Env[is[i].Name])
		if !isSubsequence(left, own(was[i], nil)) {
			t.Fatalf("the variables of %s changed their order: %q became %q", was[i].Name, own(was[i], nil), left)
		}
	}
}

func isSubsequence(short, long []string) bool {
	i := 0
	for _, s := range long {
		if i < len(short) && short[i] == s {
			i++
		}
	}
	return i == len(short)
}

func TestPromisesOnRandomPods(t *testing.T) {
	verdicts := make(map[Verdict]int)
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 1))
		pod := randomPod(r)
		b := randomBinding(r, pod)
		holds(t, pod, b)
		_, report := Mutate(pod, b)
		verdicts[report.Verdict]++
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	for _, v := range []Verdict{Injected, Audited, Refused} {
		if verdicts[v] < 50 {
			t.Errorf("only %d of the pods were %s: the generator finds too little", verdicts[v], v)
		}
	}
}

// A pod that others have worked on between two runs keeps what they did.
func TestWhatOthersDoBetweenTwoRunsStays(t *testing.T) {
	for _, s := range samples(t) {
		once, report := Mutate(&s.pod, s.binding())
		if report.Verdict != Injected {
			continue
		}
		mesh := corev1.Container{Name: "mesh", Image: "mesh:1"}
		once.Spec.InitContainers = slices.Insert(once.Spec.InitContainers, 0, mesh)
		once.Spec.Containers[0].Env = append(once.Spec.Containers[0].Env, corev1.EnvVar{Name: "MESH", Value: "1"})
		twice, report := Mutate(once, s.binding())
		if report.Verdict != Injected {
			continue // the mesh has no place among containers that were named
		}
		at := slices.IndexFunc(twice.Spec.InitContainers, func(c corev1.Container) bool { return c.Name == "mesh" })
		shim := slices.IndexFunc(twice.Spec.InitContainers, func(c corev1.Container) bool { return c.Name == ContainerShim })
		if at < 0 || at < shim || shim > 0 {
			t.Errorf("%s: mesh at %d, shim at %d; want both, the shim first", s.name, at, shim)
		}
		if i := slices.IndexFunc(twice.Spec.Containers[0].Env, func(e corev1.EnvVar) bool { return e.Name == "MESH" }); i < 0 {
			t.Errorf("%s: the other webhook's variable is gone", s.name)
		}
	}
}

func TestStripLeavesAPodWithoutStatusAlone(t *testing.T) {
	for _, s := range samples(t) {
		delete(s.pod.Annotations, v1alpha1.AnnotationProducerStatus)
		before, _ := json.Marshal(&s.pod)
		out, _, err := Strip(&s.pod)
		after, _ := json.Marshal(out)
		if err != nil || string(before) != string(after) {
			t.Errorf("%s: not byte-identical: %v\n%s\n%s", s.name, err, before, after)
		}
	}
}

// FuzzMutate changes the golden pods by JSON merge patches, and makes random ones with its words. Its arguments are short on
// purpose: the fuzzer tries to shorten whatever is new, a minute long for a whole pod.
func FuzzMutate(f *testing.F) {
	var pods [][]byte
	for _, s := range samples(f) {
		once, _ := Mutate(&s.pod, s.binding())
		for _, pod := range []*corev1.Pod{&s.pod, once} {
			text, err := json.Marshal(pod)
			if err != nil {
				f.Fatal(err)
			}
			pods = append(pods, text)
		}
	}
	for i := range pods {
		f.Add(uint64(i), "KAFKA_ACKS", "$(X)", uint8(i), `{}`)
	}
	for i, patch := range []string{
		`{"metadata":{"annotations":{"kafka.mooring.dev/producer-containers":"app,"}}}`, `{"metadata":{"annotations":null}}`, `{"spec":{"containers":[]}}`,
		`{"spec":{"containers":[{"name":"app","env":[{"name":"KAFKA_ACKS","valueFrom":{}}]}],"hostNetwork":true}}`, `{"spec":{"initContainers":[{"name":"mooring-shim"}]}}`,
		`{"spec":{"volumes":[{"name":"mooring-files"}],"terminationGracePeriodSeconds":-1}}`,
	} {
		f.Add(uint64(i), `{"a":[1]}`, "-Da=\"", uint8(i), patch)
	}
	f.Fuzz(func(t *testing.T, seed uint64, a, b string, sample uint8, patch string) {
		r := rand.New(rand.NewPCG(seed, 2))
		random, err := json.Marshal(randomPod(r, a, b)) // what reaches admission has been JSON
		if err != nil {
			t.Fatal(err)
		}
		texts := [][]byte{random}
		if patched, err := jsonpatch.MergePatch(pods[int(sample)%len(pods)], []byte(patch)); err == nil {
			texts = append(texts, patched)
		}
		for _, text := range texts {
			tryPod(t, r, text)
		}
	})
}

func tryPod(t *testing.T, r *rand.Rand, text []byte) {
	t.Helper()
	var pod corev1.Pod
	if json.Unmarshal(text, &pod) != nil {
		return
	}
	if clean, err := json.Marshal(&pod); err != nil || json.Unmarshal(clean, &pod) != nil {
		return
	}
	names := make(map[string]bool)
	unique := true
	eachContainer(&pod, func(c *corev1.Container) { unique, names[c.Name] = unique && !names[c.Name], true })
	if _, was, _ := StatusOf(pod.Annotations); was || !unique {
		// Somebody's own status, or names that the API server refuses: nothing is promised but an end.
		Mutate(&pod, randomBinding(r, &pod))
		return
	}
	holds(t, &pod, randomBinding(r, &pod))
}
