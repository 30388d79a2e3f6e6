package gateway

import (
	"context"
	_ "embed"
	"net/http"
	"slices"
	"time"

	"mooring.dev/mooring/internal/shim/gateway/sink"
)

// lookLimit is how long a look at the cluster may take.
const lookLimit = 10 * time.Second

func (g *Gateway) look(r *http.Request) (context.Context, context.CancelFunc) {
	return context.WithTimeout(r.Context(), lookLimit)
}

func (g *Gateway) describe(a *answer, r *http.Request) (sink.Topic, bool) {
	name := r.PathValue("topic")
	if c := g.sink.Contract(); !c.Topics.Allow(name) {
		a.fault(&fault{status: http.StatusForbidden, code: codeForbidden, message: "ProducerProfile " + c.Profile.Namespace + "/" + c.Profile.Name + " does not allow the topic " + name})
		return sink.Topic{}, false
	}
	ctx, cancel := g.look(r)
	defer cancel()
	t, err := g.sink.Describe(ctx, name)
	if err != nil {
		a.fault(faultOfLook(err, name))
		return sink.Topic{}, false
	}
	return t, true
}

// partitions as Confluent REST v2 lists them.
func (a *answer) partitions(t sink.Topic) *answer {
	a.text("[")
	for i, p := range t.Partitions {
		if i > 0 {
			a.text(",")
		}
		a.text(`{"partition":`).number(int64(p.ID)).text(`,"leader":`).number(int64(p.Leader)).text(`,"replicas":[`)
		for j, replica := range p.Replicas {
			if j > 0 {
				a.text(",")
			}
			a.text(`{"broker":`).number(int64(replica)).text(`,"leader":`).boolean(replica == p.Leader).
				text(`,"in_sync":`).boolean(slices.Contains(p.ISR, replica)).text(`}`)
		}
		a.text("]}")
	}
	return a.text("]")
}

func (a *answer) boolean(b bool) *answer {
	if b {
		return a.text("true")
	}
	return a.text("false")
}

//go:embed openapi.yaml
var openAPI []byte

// OpenAPI is the description of the routes.
func OpenAPI() []byte { return slices.Clone(openAPI) }

func (g *Gateway) openAPI(a *answer, _ *http.Request) {
	a.out = append(a.out, openAPI...)
	a.send(http.StatusOK, typeYAML)
}
