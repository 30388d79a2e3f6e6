package webhook

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	crwebhook "sigs.k8s.io/controller-runtime/pkg/webhook"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/controllers"
	"mooring.dev/mooring/internal/inject"
)

// setupInjection registers the mutating webhooks.
func (w *Webhooks) setupInjection(ctx context.Context, mgr ctrl.Manager) error {
	// A replica that waits to lead runs no controller that would have started these.
	for _, o := range []client.Object{&v1alpha1.ProducerProfile{}, &v1alpha1.KafkaCluster{}, &v1alpha1.KafkaTopic{}, &corev1.Secret{}} {
		if _, err := mgr.GetCache().GetInformer(ctx, o, cache.BlockUntilSynced(false)); err != nil {
			return err
		}
	}
	source := controllers.ContractSource{Reader: mgr.GetClient(), Namespace: w.options.Namespace, Shim: inject.Image{Name: w.options.ShimImage}}
	pods := &podInjector{source: source, recorder: mgr.GetEventRecorder("mooring")}
	mgr.GetWebhookServer().Register(pathPods, &crwebhook.Admission{Handler: pods})
	mgr.GetWebhookServer().Register(pathWorkloads, &crwebhook.Admission{Handler: &workloadAnnotator{source: source}})
	return nil
}
