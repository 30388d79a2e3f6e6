package controllers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kfake"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/kafka"
	"mooring.dev/mooring/internal/kafka/franz"
	"mooring.dev/mooring/internal/principal"
)

// Leave makes onePool enough for profiles.
func (onePool) Leave(string, string) {}

// ApplyPrincipal burns the fuse; Grant, Revoke and SetQuota are effects.
func (a fusedAdmin) ApplyPrincipal(ctx context.Context, s principal.Step) error {
	if err := a.fuse.burn(fmt.Sprintf("%T", s)); err != nil {
		return err
	}
	return a.Admin.ApplyPrincipal(ctx, s)
}

// profileWorld is what outlives a process: the API server and the brokers.
type profileWorld struct {
	t       *testing.T
	objects client.WithWatch
	brokers *kfake.Cluster
	key     client.ObjectKey
}

func newProfileWorld(t *testing.T) *profileWorld {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	brokers, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(brokers.Close)
	p := &v1alpha1.ProducerProfile{
		ObjectMeta: metav1.ObjectMeta{Name: "checkout", Namespace: "shop", UID: "uid-1", Generation: 1},
		Spec: v1alpha1.ProducerProfileSpec{
			ClusterRef: v1alpha1.ClusterReference{Name: "default"}, Guarantee: v1alpha1.Idempotent,
			Topics:        &v1alpha1.ProducerTopics{Names: []string{"orders"}},
			Quota:         &v1alpha1.ProducerQuota{User: "checkout", ProducerByteRate: new(resource.MustParse("1Mi"))},
			Authorization: &v1alpha1.ProducerAuthorization{Mode: v1alpha1.AuthorizationManage, Principal: "User:checkout"},
		},
	}
	builder := fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(&v1alpha1.ProducerProfile{}).
		WithIndex(&v1alpha1.KafkaTopic{}, indexTopicsByCluster, func(o client.Object) []string {
			return []string{o.(*v1alpha1.KafkaTopic).Spec.ClusterRef.Name}
		})
	for name, values := range profileIndexes {
		builder = builder.WithIndex(&v1alpha1.ProducerProfile{}, name, func(o client.Object) []string { return values(o.(*v1alpha1.ProducerProfile)) })
	}
	cluster := &v1alpha1.KafkaCluster{ObjectMeta: metav1.ObjectMeta{Name: "default"}}
	cluster.Spec.BootstrapServers = brokers.ListenAddrs()
	return &profileWorld{t: t, objects: builder.WithObjects(p, cluster).Build(), brokers: brokers, key: client.ObjectKeyFromObject(p)}
}

func (w *profileWorld) admin() *franz.Admin {
	w.t.Helper()
	c, err := franz.NewClient(kafka.Settings{BootstrapServers: w.brokers.ListenAddrs()})
	if err != nil {
		w.t.Fatal(err)
	}
	admin := franz.New(c, nil)
	w.t.Cleanup(admin.Close)
	if _, err := admin.Poll(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return admin
}

// process starts a reconciler with nothing in memory, which dies after some effects.
func (w *profileWorld) process(f *fuse) *ProfileReconciler {
	fused := interceptor.NewClient(w.objects, interceptor.Funcs{
		SubResourceApply: func(ctx context.Context, c client.Client, sub string, o runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption) error {
			if err := f.burn("status"); err != nil {
				return err
			}
			return c.SubResource(sub).Apply(ctx, o, opts...)
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			if err := f.burn("finalizer"); err != nil {
				return err
			}
			return c.Patch(ctx, o, p, opts...)
		},
	})
	return &ProfileReconciler{Client: fused, Pool: onePool{fusedAdmin{w.admin(), f}}, Events: Events{noEvents{}}, Now: time.Now, SettleFor: 5 * time.Second}
}

func (w *profileWorld) profile() *v1alpha1.ProducerProfile {
	var p v1alpha1.ProducerProfile
	if err := w.objects.Get(w.t.Context(), w.key, &p); err != nil {
		return nil
	}
	return &p
}

// live reconciles as a queue would, until nothing is left to do or the process is dead.
func (w *profileWorld) live(r *ProfileReconciler) {
	w.t.Helper()
	for range 10 {
		p := w.profile()
		if p == nil {
			return
		}
		result, err := r.Reconcile(w.t.Context(), p)
		if errors.Is(err, errKilled) || (err == nil && result.RequeueAfter != time.Second) {
			return
		}
	}
}

func (w *profileWorld) held() []string {
	w.t.Helper()
	entity := principal.Entity{User: "checkout"}
	seen, err := w.admin().ObservePrincipals(w.t.Context(), []principal.Entity{entity}, []string{"User:checkout"})
	if err != nil {
		w.t.Fatal(err)
	}
	lines := []string{}
	for _, a := range seen.ACLs {
		lines = append(lines, a.String())
	}
	for key, value := range seen.Quotas[entity] {
		lines = append(lines, fmt.Sprintf("%s %v", key, value))
	}
	slices.Sort(lines)
	return lines
}

var (
	foreignACL = principal.ACL{Principal: "User:checkout", Host: principal.AnyHost, Resource: principal.ResourceTopic, Pattern: principal.Literal, Name: "theirs", Operation: principal.Write}
	wantHeld   = []string{
		"allow DESCRIBE on TOPIC orders to User:checkout", "allow WRITE on TOPIC orders to User:checkout", "allow WRITE on TOPIC theirs to User:checkout", "producer_byte_rate 1.048576e+06",
	}
)

// TestAProfileKilledAfterEachEffect kills the operator after each effect of a profile's life, starts it again with nothing in
// memory, and wants what an undisturbed run comes to: nothing of the profile's is left behind, and nothing else is touched.
func TestAProfileKilledAfterEachEffect(t *testing.T) {
	for kill := 0; ; kill++ {
		w := newProfileWorld(t)
		if err := w.admin().ApplyPrincipal(t.Context(), principal.Grant{ACLs: []principal.ACL{foreignACL}}); err != nil {
			t.Fatal(err)
		}
		first := &fuse{left: kill}
		w.live(w.process(first))
		w.live(w.process(&fuse{left: 100}))
		if diff := cmp.Diff(wantHeld, w.held()); diff != "" {
			t.Errorf("killed after %v: on the brokers (-want +got):\n%s", first.effects, diff)
		}
		if p := w.profile(); !meta.IsStatusConditionTrue(p.Status.Conditions, v1alpha1.ConditionReady) {
			t.Errorf("killed after %v: not ready: %+v", first.effects, p.Status.Conditions)
		}

		if err := w.objects.Delete(t.Context(), w.profile()); err != nil {
			t.Fatal(err)
		}
		last := &fuse{left: kill}
		w.live(w.process(last))
		w.live(w.process(&fuse{left: 100}))
		if diff := cmp.Diff([]string{foreignACL.String()}, w.held()); diff != "" || w.profile() != nil {
			t.Errorf("killed after %v: after the deletion (-want +got):\n%s%v", last.effects, diff, w.profile())
		}
		if t.Failed() || (len(first.effects) < kill && len(last.effects) < kill) {
			return // both processes ended by themselves: every failpoint has had its turn
		}
	}
}

// TestAProfileDeletedBeforeItsStatusSaysSo: a process that dies between its claim and its steps leaves word of what may be
// there, and a deletion right after it takes it off.
func TestAProfileDeletedBeforeItsStatusSaysSo(t *testing.T) {
	for kill := range 8 {
		w := newProfileWorld(t)
		first := &fuse{left: kill}
		w.live(w.process(first))
		if err := w.objects.Delete(t.Context(), w.profile()); err != nil {
			t.Fatal(err)
		}
		w.live(w.process(&fuse{left: 100}))
		if held := w.held(); len(held) > 0 || w.profile() != nil {
			t.Errorf("killed after %v, then deleted: %q is left on the brokers; %v", first.effects, held, w.profile())
		}
	}
}
