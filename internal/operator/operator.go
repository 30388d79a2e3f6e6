package operator

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	controllerconfig "sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/controllers"
	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/franz"
	"mooring.dev/mooring/internal/kafka/pool"
	"mooring.dev/mooring/webhook"
)

// leaderElectionID names the Lease.
const leaderElectionID = "mooring.kafka.mooring.dev"

// Scheme knows every kind that the operator reads or writes.
func Scheme() *runtime.Scheme {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	return scheme
}

// Run serves until ctx ends, and then stops in order: no new reconcile, the ones under way end, connections close.
func Run(ctx context.Context, config *rest.Config, o Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	ctrl.SetLogger(logr.FromSlogHandler(o.Logger().Handler()))
	mgr, err := NewManager(ctx, config, o, dial)
	if err != nil {
		return err
	}
	return mgr.Start(ctx)
}

// NewManager wires everything that Run starts. Tests give their own dial, to count what goes to Kafka.
func NewManager(ctx context.Context, config *rest.Config, o Options, dial pool.Dial) (ctrl.Manager, error) {
	// API priority and fairness guards the API server; a second limit here only makes ten thousand topics slow.
	config = rest.CopyConfig(config)
	config.QPS, config.Burst = -1, -1
	config.UserAgent = "mooring"
	hooks := webhook.New(o.webhooks())
	options := managerOptions(o, hooks)
	options.LeaderElectionConfig = rest.CopyConfig(config) // a lease is renewed whatever waits to be written
	config.Wrap(limitWrites)
	mgr, err := ctrl.NewManager(config, options)
	if err != nil {
		return nil, fmt.Errorf("start the manager: %w", err)
	}
	connections := pool.New(pool.Options{
		Dial:        dial,
		Log:         ctrl.Log.WithName("pool"),
		OutageGrace: o.OutageGrace,
	})
	if err := mgr.Add(connections); err != nil {
		return nil, err
	}
	if err := watchAges(connections); err != nil {
		return nil, err
	}
	if err := controllers.Setup(ctx, mgr, controllers.Options{Namespace: o.Namespace, TopicWorkers: o.TopicWorkers, Pool: connections, ShimImage: o.ShimImage}); err != nil {
		return nil, fmt.Errorf("set up the controllers: %w", err)
	}
	if err := hooks.Setup(ctx, mgr); err != nil {
		return nil, fmt.Errorf("set up the webhooks: %w", err)
	}
	if err := mgr.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return nil, err
	}
	return mgr, mgr.AddReadyzCheck("cache", cacheSynced(mgr))
}

func dial(s kafka.Settings) (pool.Conn, error) {
	c, err := franz.NewClient(s, franz.WithMeter(meter{}))
	if err != nil {
		return nil, err
	}
	return franz.New(c, meter{}), nil
}

func managerOptions(o Options, hooks *webhook.Webhooks) ctrl.Options {
	return ctrl.Options{
		Scheme:                        Scheme(),
		Metrics:                       server.Options{BindAddress: o.MetricsAddress},
		PprofBindAddress:              o.PprofAddress,
		HealthProbeBindAddress:        o.ProbeAddress,
		WebhookServer:                 hooks.Server(),
		LeaderElection:                o.LeaderElect,
		LeaderElectionID:              leaderElectionID,
		LeaderElectionNamespace:       o.Namespace,
		LeaderElectionReleaseOnCancel: true,
		GracefulShutdownTimeout:       new(30 * time.Second),
		Controller:                    controllerconfig.Controller{SkipNameValidation: new(o.Again)},
		Cache: cache.Options{
			// An informer that nobody meant to start is a bug, not a slow first read.
			ReaderFailOnMissingInformer: false,
			DefaultTransform:            cache.TransformStripManagedFields(),
			ByObject: map[client.Object]cache.ByObject{
				// Credentials are read in the operator's own namespace, and the RBAC allows no other.
				&corev1.Secret{}: {Namespaces: map[string]cache.Config{o.Namespace: {}}},
				// Ours by name, and the RBAC allows no other.
				&admissionregistrationv1.ValidatingWebhookConfiguration{}: {Field: fields.OneTermEqualSelector("metadata.name", webhook.ConfigurationName)},
				&admissionregistrationv1.MutatingWebhookConfiguration{}:   {Field: fields.OneTermEqualSelector("metadata.name", webhook.ConfigurationName)},
				&corev1.Pod{}:          {Transform: controllers.LightPod},
				&v1alpha1.KafkaTopic{}: {Transform: controllers.LightTopic},
			},
		},
		Client: client.Options{
			Cache: &client.CacheOptions{EnableReadYourWritesConsistency: new(true)},
		},
	}
}

// cacheSynced is ready once the informers have their first list; a replica that waits to lead is ready too.
func cacheSynced(mgr ctrl.Manager) healthz.Checker {
	return func(req *http.Request) error {
		ctx, cancel := context.WithTimeout(req.Context(), time.Second)
		defer cancel()
		if !mgr.GetCache().WaitForCacheSync(ctx) {
			return fmt.Errorf("the cache has not synced yet")
		}
		return nil
	}
}
