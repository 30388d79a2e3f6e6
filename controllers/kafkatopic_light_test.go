package controllers

import (
	"encoding/json"
	"fmt"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"

	"mooring.dev/mooring/api/v1alpha1"
)

// fromServer is a KafkaTopic as the API server sends it, every string of its own.
func fromServer(t *testing.T, name string) *v1alpha1.KafkaTopic {
	t.Helper()
	text := fmt.Sprintf(`{"metadata":{"name":%q,"namespace":"shop","uid":%q,"finalizers":["kafka.mooring.dev/topic"],"labels":{"team":"checkout"},
		"annotations":{"kubectl.kubernetes.io/last-applied-configuration":"{}","kafka.mooring.dev/orphan":"true"},"managedFields":[{"manager":"kubectl"}]},
		"spec":{"clusterRef":{"name":"default"},"partitions":3,"config":{"retention.ms":"1000"},"adoption":"Review","deletionPolicy":"Retain"},
		"status":{"topicName":%q,"topicID":%q,"clusterID":"abc","managedConfig":{"retention.ms":"1000"},
		"conditions":[{"type":"Ready","status":"True","reason":"Ready","message":"the topic is what this manifest says"}]}}`, name, "uid-"+name, name, "id-"+name)
	var kt v1alpha1.KafkaTopic
	if err := json.Unmarshal([]byte(text), &kt); err != nil {
		t.Fatal(err)
	}
	return &kt
}

func light(t *testing.T, kt *v1alpha1.KafkaTopic) *v1alpha1.KafkaTopic {
	t.Helper()
	got, err := LightTopic(kt)
	if err != nil {
		t.Fatal(err)
	}
	return got.(*v1alpha1.KafkaTopic)
}

func TestALightTopicSaysWhatItSaid(t *testing.T) {
	want := fromServer(t, "orders")
	want.ManagedFields = nil
	delete(want.Annotations, corev1.LastAppliedConfigAnnotation)
	for range 2 { // an informer may transform an object twice
		if diff := cmp.Diff(want, light(t, fromServer(t, "orders")), cmp.AllowUnexported(v1alpha1.ConfigValue{})); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	bare := &v1alpha1.KafkaTopic{ObjectMeta: metav1.ObjectMeta{Name: "bare", Annotations: map[string]string{corev1.LastAppliedConfigAnnotation: "{}"}}}
	if diff := cmp.Diff(&v1alpha1.KafkaTopic{ObjectMeta: metav1.ObjectMeta{Name: "bare"}}, light(t, bare)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLightTopicsShareWhatIsTheSame(t *testing.T) {
	a, b := light(t, fromServer(t, "orders")), light(t, fromServer(t, "payments"))
	for what, pair := range map[string][2]string{
		"the namespace":       {a.Namespace, b.Namespace},
		"a finalizer":         {a.Finalizers[0], b.Finalizers[0]},
		"the cluster's name":  {a.Spec.ClusterRef.Name, b.Spec.ClusterRef.Name},
		"a policy":            {string(a.Spec.DeletionPolicy), string(b.Spec.DeletionPolicy)},
		"a condition's words": {a.Status.Conditions[0].Message, b.Status.Conditions[0].Message},
		"a configured value":  {a.Spec.Config["retention.ms"].String(), b.Spec.Config["retention.ms"].String()},
		"a managed value":     {a.Status.ManagedConfig["retention.ms"], b.Status.ManagedConfig["retention.ms"]},
		"a label":             {a.Labels["team"], b.Labels["team"]},
	} {
		if unsafe.StringData(pair[0]) != unsafe.StringData(pair[1]) {
			t.Errorf("%s is kept twice", what)
		}
	}
	if len(a.Status.Conditions) != cap(a.Status.Conditions) {
		t.Errorf("there is room for %d conditions beside %d", cap(a.Status.Conditions), len(a.Status.Conditions))
	}
}

func TestMapsThatLookAlikeStayApart(t *testing.T) {
	known := make(map[string]map[string]string)
	same := func(v string) string { return v }
	first := share(known, map[string]string{"a": "1,b=2", "c": "3"}, same)
	second := share(known, map[string]string{"a": "1", "b": "2,c=3"}, same)
	if diff := cmp.Diff([]map[string]string{{"a": "1,b=2", "c": "3"}, {"a": "1", "b": "2,c=3"}}, []map[string]string{first, second}); diff != "" {
		t.Errorf("one topic got the configuration of another (-want +got):\n%s", diff)
	}
}

func TestWhatIsKeptIsBounded(t *testing.T) {
	var k table
	for i := range 3 * maxKept {
		kt := fromServer(t, fmt.Sprint("orders", i))
		kt.Status.Conditions[0].Message = fmt.Sprint("message ", i)
		k.lighten(kt)
	}
	if n := len(k.strings) + len(k.settings) + len(k.configs); n > maxKept+100 {
		t.Errorf("%d strings and maps are kept for topics that may be gone", n)
	}
}

func TestWhatIsNoTopicPasses(t *testing.T) {
	gone := cache.DeletedFinalStateUnknown{Key: "shop/orders"}
	if got, err := LightTopic(gone); err != nil || got != any(gone) {
		t.Errorf("%v, %v", got, err)
	}
}
