package controllers

import (
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/inject"
)

// lookAgainAfter is how long after the patch of a pod's contract the pod is touched once more. The patch has the kubelet write the
// pod's file at once; but a patch that comes while the kubelet walks its list of pods, or while it writes that pod's volume, is
// taken for done, and the file follows at its next sync of the pod, after a minute to a minute and a half. The second change makes
// the kubelet look again; test/e2e prints how many of fifty pods needed it.
const lookAgainAfter = 3 * time.Second

// touchedAtOnce is how many pods one reconcile touches: another change of the profile, which is waited for, does not wait long.
const touchedAtOnce = 100

// untouched remembers whose contract was patched, and when, until the pod was touched again. It is forgotten with the process: the
// kubelet's own sync then brings what it missed.
type untouched struct {
	mu sync.Mutex
	at map[types.UID]time.Time
}

func (u *untouched) note(pod types.UID, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.at == nil {
		u.at = make(map[types.UID]time.Time)
	}
	u.at[pod] = now
}

func (u *untouched) forget(pod types.UID) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.at, pod)
}

// left is how long a pod has still to wait for its second touch; false if it needs none.
func (u *untouched) left(pod types.UID, now time.Time) (time.Duration, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	at, ok := u.at[pod]
	return at.Add(lookAgainAfter).Sub(now), ok
}

// touch the pods whose contract was patched a while ago, touchedAtOnce at most, and say when the next ones are due; 0 if there are
// none. A pod that could not be touched stays due, and the error comes back.
func (r *ContractReconciler) touch(ctx context.Context, states []podState) (time.Duration, error) {
	now := r.Now()
	var due []podState
	next := time.Duration(0)
	for i := range states {
		s := &states[i]
		left, ok := r.untouched.left(s.pod.UID, now)
		switch {
		case !ok:
		case left > 0 || len(due) == touchedAtOnce:
			if left = max(left, time.Millisecond); next == 0 || left < next {
				next = left
			}
		default:
			due = append(due, podState{pod: s.pod, Refreshed: inject.Refreshed{
				Annotations: map[string]string{v1alpha1.AnnotationContractTouched: now.UTC().Format(time.RFC3339)},
			}})
		}
	}
	return next, r.each(ctx, due, func(ctx context.Context, s *podState) error {
		if err := r.annotate(ctx, s); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("touch pod %s/%s: %w", s.pod.Namespace, s.pod.Name, err)
		}
		r.untouched.forget(s.pod.UID)
		return nil
	})
}
