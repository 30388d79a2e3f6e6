package gateway

import (
	"net/http"
	"strings"
	"time"
)

// dialect says how a fault is written.
type dialect uint8

const (
	raw dialect = iota // RFC 9457
	v2
	v3
)

// route of the listener.
type route struct {
	method, pattern string
	dialect         dialect
	handle          func(*answer, *http.Request)
	measures        *measures
}

func (r *route) name() string { return r.method + " " + r.pattern }

// table of the routes; openapi.yaml describes each.
func (g *Gateway) table() []route {
	table := []route{
		{method: "POST", pattern: "/v1/topics/{topic}/records", dialect: raw, handle: g.rawRecords},
		{method: "POST", pattern: "/topics/{topic}", dialect: v2, handle: g.v2Produce},
		{method: "POST", pattern: "/topics/{topic}/partitions/{partition}", dialect: v2, handle: g.v2Produce},
		{method: "GET", pattern: "/topics", dialect: v2, handle: g.v2Topics},
		{method: "GET", pattern: "/topics/{topic}", dialect: v2, handle: g.v2Topic},
		{method: "GET", pattern: "/topics/{topic}/partitions", dialect: v2, handle: g.v2Partitions},
		{method: "GET", pattern: "/v3/clusters", dialect: v3, handle: g.v3Clusters},
		{method: "GET", pattern: "/v3/clusters/{cluster}", dialect: v3, handle: g.v3Cluster},
		{method: "POST", pattern: "/v3/clusters/{cluster}/topics/{topic}/records", dialect: v3, handle: g.v3Records},
		{method: "POST", pattern: "/v3/clusters/{cluster}/topics/{topic}/records:batch", dialect: v3, handle: g.v3Batch},
		{method: "GET", pattern: "/openapi.yaml", dialect: raw, handle: g.openAPI},
	}
	for i := range table {
		table[i].measures = new(measures)
	}
	return table
}

// Handler of all routes.
func (g *Gateway) Handler() http.Handler {
	byPattern := make(map[string][]*route)
	for i := range g.routes {
		r := &g.routes[i]
		byPattern[r.pattern] = append(byPattern[r.pattern], r)
	}
	mux := http.NewServeMux()
	for pattern, routes := range byPattern {
		mux.Handle(pattern, methods(routes))
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		a := newAnswer(w, dialectOf(r.URL.Path))
		defer a.free()
		a.fault(&fault{status: http.StatusNotFound, message: "no such route; GET /openapi.yaml lists them"})
	})
	return mux
}

// dialectOf a path that is not one of the routes.
func dialectOf(path string) dialect {
	switch {
	case strings.HasPrefix(path, "/v3/"):
		return v3
	case strings.HasPrefix(path, "/topics"):
		return v2
	}
	return raw
}

func methods(routes []*route) http.HandlerFunc {
	allowed := make([]string, len(routes))
	for i, r := range routes {
		allowed[i] = r.method
	}
	allow := strings.Join(allowed, ", ")
	return func(w http.ResponseWriter, req *http.Request) {
		for _, r := range routes {
			if r.method == req.Method || (req.Method == http.MethodHead && r.method == http.MethodGet) {
				r.serve(w, req)
				return
			}
		}
		a := newAnswer(w, routes[0].dialect)
		defer a.free()
		w.Header().Set("Allow", allow)
		a.fault(faultf(http.StatusMethodNotAllowed, "the method %s is not for this route; it takes %s", req.Method, allow))
	}
}

func (r *route) serve(w http.ResponseWriter, req *http.Request) {
	started := time.Now()
	a := newAnswer(w, r.dialect)
	defer a.free()
	r.handle(a, req)
	r.measures.observe(a.status, time.Since(started))
}
