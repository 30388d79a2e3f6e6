package cluster

import (
	"context"
	"sync"
	"time"

	"mooring.dev/mooring/hack/localkube/internal/component"
)

// statusBound is how long a component has to say that it is ready.
const statusBound = 3 * time.Second

// Condition is how a component is right now.
type Condition string

const (
	// Ready: its process runs and answers that it is ready.
	Ready Condition = "ready"
	// NotReady: its process runs, but does not say that it is ready.
	NotReady Condition = "not ready"
	// Halted: `stop-component` or `down --keep-data` stopped it.
	Halted Condition = "stopped"
	// Dead: its process ended, and localkube did not end it.
	Dead Condition = "dead"
)

// ComponentStatus is a line of `localkube status`.
type ComponentStatus struct {
	Name      string
	PID       int
	Condition Condition
	URL       string
}

// Status returns how each component in dir is, and nothing when nothing was
// started there. It takes no lock, so that it answers while `up` is at work.
func Status(ctx context.Context, dir string) ([]ComponentStatus, error) {
	state, err := loadState(dir)
	if err != nil || state == nil {
		return nil, err
	}
	statuses := make([]ComponentStatus, len(state.Components))
	var wait sync.WaitGroup
	for i, entry := range state.Components {
		wait.Go(func() {
			statuses[i] = ComponentStatus{Name: entry.Name, PID: entry.PID, Condition: conditionOf(ctx, state, entry), URL: entry.URL}
		})
	}
	wait.Wait()
	return statuses, nil
}

func conditionOf(ctx context.Context, state *State, entry ComponentState) Condition {
	switch {
	case !entry.Alive() && (entry.Halted || state.Phase == Stopped):
		return Halted
	case !entry.Alive():
		return Dead
	}
	c, err := component.Get(entry.Name)
	if err != nil || c.Service == nil {
		return NotReady
	}
	client, err := newClient(c.Service.Trust, state.Layout)
	if err != nil {
		return NotReady
	}
	defer client.close()
	askCtx, cancel := context.WithTimeout(ctx, statusBound)
	defer cancel()
	if client.ask(askCtx, c.HealthURL(state.Layout)) != nil {
		return NotReady
	}
	return Ready
}
