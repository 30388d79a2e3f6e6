package controllers

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/pool"
	"mooring.dev/mooring/internal/outcome"
	"mooring.dev/mooring/internal/status"
)

// Connections is what the reconcilers need of the pool.
type Connections interface {
	Ensure(name string, s kafka.Settings)
	Hold(name string, err error)
	Remove(name string)
	State(name string) pool.State
	For(name string) (kafka.Admin, error)
	Forget(cluster, topic string)
}

// ClusterReconciler keeps the pool's connections as the KafkaClusters say, and their status as the pool says.
type ClusterReconciler struct {
	Client client.Client
	Pool   Connections
	Events Events
	// Namespace of the operator: where Secrets are read, and nowhere else.
	Namespace string
	Now       func() time.Time
}

// +kubebuilder:rbac:groups=kafka.mooring.dev,resources=kafkaclusters,verbs=get;list;watch;update;patch
// +kubebuilder:rbac:groups=kafka.mooring.dev,resources=kafkaclusters/status,verbs=get;update;patch
// +kubebuilder:rbac:groups=kafka.mooring.dev,resources=kafkaclusters/finalizers,verbs=update
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create;patch
// +kubebuilder:rbac:groups="",namespace=mooring-system,resources=secrets,verbs=get;list;watch
// +kubebuilder:rbac:groups=coordination.k8s.io,namespace=mooring-system,resources=leases,verbs=get;list;watch;create;update;patch;delete
// +kubebuilder:rbac:groups="",namespace=mooring-system,resources=events,verbs=create;patch

// Reconcile implements reconcile.ObjectReconciler.
func (r *ClusterReconciler) Reconcile(ctx context.Context, k *v1alpha1.KafkaCluster) (ctrl.Result, error) {
	if !k.DeletionTimestamp.IsZero() {
		return r.delete(ctx, k).Result()
	}
	if err := addFinalizer(ctx, r.Client, k); err != nil {
		return outcome.Retry(err).Result()
	}
	secrets, err := r.readSecrets(ctx, k)
	if err != nil {
		return outcome.Retry(err).Result()
	}
	settings, settingsErr := kafka.SettingsFrom(k, r.Namespace, secrets)
	if settingsErr == nil {
		r.Pool.Ensure(k.Name, settings)
	} else {
		r.Pool.Hold(k.Name, settingsErr)
	}
	if settingsErr == nil && r.connecting(k) {
		return outcome.Wait(intervalOf(k)).Result() // the pool wakes it before, connected or not
	}
	facts, err := r.gather(ctx, k, settingsErr)
	if err != nil {
		return outcome.Retry(err).Result()
	}
	next := status.SummarizeCluster(facts)
	r.Events.onVerdict(k, k.Status.Conditions, next.Conditions)
	// The counts of topics are looked at again with each interval, and not on every change of a topic: ten thousand new
	// topics are not ten thousand writes here.
	return outcome.Wait(intervalOf(k)).Or(writeClusterStatus(ctx, r.Client, k, next)).Result()
}

// connecting says whether this process has yet to look at a cluster that was judged before. Until then its status stands: a
// restart of the operator is no news, and must not turn Ready to False and back.
func (r *ClusterReconciler) connecting(k *v1alpha1.KafkaCluster) bool {
	phase := r.Pool.State(k.Name).Phase
	judged := k.Status.ObservedGeneration == k.Generation && meta.FindStatusCondition(k.Status.Conditions, v1alpha1.ConditionReady) != nil
	return judged && (phase == pool.Unknown || phase == pool.Connecting)
}

func intervalOf(k *v1alpha1.KafkaCluster) time.Duration {
	if k.Spec.Drift.Interval != nil {
		return max(k.Spec.Drift.Interval.Duration, time.Second)
	}
	return 30 * time.Second
}

func (r *ClusterReconciler) readSecrets(ctx context.Context, k *v1alpha1.KafkaCluster) (kafka.Secrets, error) {
	found := make(kafka.Secrets)
	for _, name := range kafka.SecretsOf(&k.Spec) {
		var secret corev1.Secret
		err := r.Client.Get(ctx, types.NamespacedName{Namespace: r.Namespace, Name: name}, &secret)
		if apierrors.IsNotFound(err) {
			continue // SettingsFrom says so, with the field that names it
		}
		if err != nil {
			return nil, fmt.Errorf("read Secret %s/%s: %w", r.Namespace, name, err)
		}
		found[name] = secret.Data
	}
	return found, nil
}

func (r *ClusterReconciler) gather(ctx context.Context, k *v1alpha1.KafkaCluster, settingsErr error) (status.ClusterFacts, error) {
	state := r.Pool.State(k.Name)
	facts := status.ClusterFacts{
		Cluster: k, Seen: state.Phase == pool.Connected, Verdict: clusterVerdict(state, settingsErr), Now: metav1.NewTime(r.Now()),
		ClusterID: state.Info.ClusterID, KafkaVersion: state.Info.KafkaVersion, ControllerID: state.Info.ControllerID,
	}
	for _, b := range state.Info.Brokers {
		facts.Brokers = append(facts.Brokers, v1alpha1.BrokerStatus{ID: b.ID, Host: b.Host, Port: b.Port, Rack: b.Rack, Fenced: b.Fenced})
	}
	topics, err := r.topicsOf(ctx, k.Name)
	if err != nil {
		return facts, err
	}
	facts.Topics.Total = int32(max(state.Info.Topics, 0))
	topicsByState.DeletePartialMatch(prometheus.Labels{"cluster": k.Name})
	for i := range topics {
		reason := v1alpha1.ReasonUnknown
		if ready := meta.FindStatusCondition(topics[i].Status.Conditions, v1alpha1.ConditionReady); ready != nil {
			reason = ready.Reason
		}
		topicsByState.WithLabelValues(k.Name, reason).Inc()
		if topics[i].Status.TopicID == "" {
			continue
		}
		facts.Topics.Managed++
		if meta.IsStatusConditionFalse(topics[i].Status.Conditions, v1alpha1.ConditionInSync) {
			facts.Topics.Drifted++
		}
	}
	return facts, nil
}

func (r *ClusterReconciler) topicsOf(ctx context.Context, cluster string) ([]v1alpha1.KafkaTopic, error) {
	var list v1alpha1.KafkaTopicList
	err := r.Client.List(ctx, &list, client.MatchingFields{indexTopicsByCluster: cluster}, client.UnsafeDisableDeepCopy)
	return list.Items, err
}

// clusterVerdict says how the connection stands. A connection with older settings that still serves is worth less than
// the sentence about the newer ones that do not work: somebody just changed them.
func clusterVerdict(state pool.State, settingsErr error) status.Verdict {
	switch {
	case settingsErr != nil:
		return status.Verdict{Kind: status.Stuck, Reason: v1alpha1.ReasonSecretInvalid, Message: settingsErr.Error()}
	case state.Phase == pool.Failing:
		v := failureOf(state.Err, "connect").verdict
		if kafka.ClassOf(state.Err) == kafka.ClassUnreachable {
			v.Message = fmt.Sprintf("no broker of spec.bootstrapServers answers: %v; check the addresses, and whether that listener wants TLS or SASL", state.Err)
		}
		return v
	case state.Phase == pool.Connected && state.RotationErr != nil:
		v := failureOf(state.RotationErr, "the new connection settings do not work, and the ones before still serve").verdict
		v.Kind = status.Stuck
		return v
	case state.Phase == pool.Connected:
		return status.Verdict{Kind: status.Ready, Reason: v1alpha1.ReasonReady, Message: fmt.Sprintf("connected; %d brokers", len(state.Info.Brokers))}
	}
	return status.Verdict{Kind: status.Working, Reason: v1alpha1.ReasonProgressing, Message: "connecting"}
}

// delete waits while topics refer to the cluster, or profiles have something on it, and says which: without the connection
// none of them could be finished.
func (r *ClusterReconciler) delete(ctx context.Context, k *v1alpha1.KafkaCluster) outcome.Outcome {
	topics, err := r.topicsOf(ctx, k.Name)
	if err != nil {
		return outcome.Retry(err)
	}
	profiles, err := profilesHolding(ctx, r.Client, k.Name)
	if err != nil {
		return outcome.Retry(err)
	}
	if len(topics)+len(profiles) == 0 {
		r.Pool.Remove(k.Name)
		return outcome.Done().Or(removeFinalizer(ctx, r.Client, k))
	}
	next := status.SummarizeCluster(status.ClusterFacts{Cluster: k, Now: metav1.NewTime(r.Now()), Verdict: status.Verdict{
		Kind: status.Working, Reason: v1alpha1.ReasonInUse, Message: inUse(topics, profiles),
	}})
	r.Events.onVerdict(k, k.Status.Conditions, next.Conditions)
	return outcome.Done().Or(writeClusterStatus(ctx, r.Client, k, next)) // what goes wakes its cluster
}

// inUse names some of the objects that a cluster waits for.
func inUse(topics []v1alpha1.KafkaTopic, profiles []v1alpha1.ProducerProfile) string {
	var parts []string
	if n := len(topics); n > 0 {
		names := make([]string, 0, 3)
		for i := range topics[:min(3, n)] {
			names = append(names, topics[i].Namespace+"/"+topics[i].Name)
		}
		parts = append(parts, fmt.Sprintf("%d KafkaTopics refer to this cluster, among them %s", n, strings.Join(names, ", ")))
	}
	if n := len(profiles); n > 0 {
		names := make([]string, 0, 3)
		for i := range profiles[:min(3, n)] {
			names = append(names, profiles[i].Namespace+"/"+profiles[i].Name)
		}
		parts = append(parts, fmt.Sprintf("%d ProducerProfiles have a quota or ACLs on this cluster, among them %s", n, strings.Join(names, ", ")))
	}
	return strings.Join(parts, "; ") + "; delete them first"
}

// addFinalizer adds ours, if it is not there.
func addFinalizer(ctx context.Context, c client.Client, o client.Object) error {
	return patchFinalizer(ctx, c, o, controllerutil.AddFinalizer)
}

// removeFinalizer removes ours, if it is there.
func removeFinalizer(ctx context.Context, c client.Client, o client.Object) error {
	return patchFinalizer(ctx, c, o, controllerutil.RemoveFinalizer)
}

// patchFinalizer patches the list of finalizers with a lock on the version that was read: a JSON merge patch replaces the
// whole list, and must not drop one that somebody added meanwhile.
func patchFinalizer(ctx context.Context, c client.Client, o client.Object, change func(client.Object, string) bool) error {
	if !change(o, v1alpha1.Finalizer) {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"finalizers": o.GetFinalizers(), "resourceVersion": o.GetResourceVersion()}})
	if err != nil {
		return fmt.Errorf("finalizer: %w", err)
	}
	err = c.Patch(ctx, o, client.RawPatch(types.MergePatchType, patch), fieldOwner)
	if err := client.IgnoreNotFound(err); err != nil {
		return fmt.Errorf("finalizer: %w", err)
	}
	return nil
}

var _ reconcile.ObjectReconciler[*v1alpha1.KafkaCluster] = (*ClusterReconciler)(nil)
