package controllers

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"mooring.dev/mooring/api/v1alpha1"
	ac "mooring.dev/mooring/api/v1alpha1/applyconfiguration/api/v1alpha1"
)

// contractFieldOwner writes status.pods of a ProducerProfile; the rest of the status is the profile reconciler's. Two owners
// never undo each other's fields.
const contractFieldOwner = client.FieldOwner("mooring-contracts")

// What the contract controller counts. docs/reference/metrics.md lists them.
var (
	contractPatches = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "mooring_contract_patches_total", Help: "Patches of running pods' contracts by result: ok, failed.",
	}, []string{"result"})
	profilePods = prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "mooring_profile_pods", Help: "Living pods of a ProducerProfile by state: current, stale, needRestart, missed.",
	}, []string{"namespace", "profile", "state"})
)

func init() { metrics.Registry.MustRegister(contractPatches, profilePods) }

// writePodCounts applies the counts if they say anything new.
func writePodCounts(ctx context.Context, c client.Client, p *v1alpha1.ProducerProfile, counts v1alpha1.PodCounts) error {
	for state, n := range map[string]int32{"current": counts.Current, "stale": counts.Stale, "needRestart": counts.NeedRestart, "missed": counts.Missed} {
		profilePods.WithLabelValues(p.Namespace, p.Name, state).Set(float64(n))
	}
	was := p.Status.Pods
	if was == nil && counts.Bound == 0 || was != nil && *was == counts {
		return nil
	}
	pods := ac.PodCounts().WithBound(counts.Bound).WithCurrent(counts.Current).WithStale(counts.Stale).WithNeedRestart(counts.NeedRestart).WithMissed(counts.Missed)
	object := ac.ProducerProfile(p.Name, p.Namespace).WithStatus(ac.ProducerProfileStatus().WithPods(pods))
	if err := client.IgnoreNotFound(c.Status().Apply(ctx, object, contractFieldOwner, client.ForceOwnership)); err != nil {
		return fmt.Errorf("write status.pods: %w", err)
	}
	return nil
}
