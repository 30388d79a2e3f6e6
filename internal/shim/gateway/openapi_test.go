package gateway

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"sigs.k8s.io/yaml"
)

// described are the statuses that openapi.yaml has for each route, by method and path.
var described = sync.OnceValue(func() map[string][]int {
	var doc struct {
		Paths map[string]map[string]struct {
			Responses map[string]struct {
				Ref string `json:"$ref"`
			} `json:"responses"`
		} `json:"paths"`
		Components struct {
			Responses map[string]any `json:"responses"`
		} `json:"components"`
	}
	if err := yaml.Unmarshal(OpenAPI(), &doc); err != nil {
		panic(err)
	}
	all := make(map[string][]int)
	for path, methods := range doc.Paths {
		for method, op := range methods {
			name := strings.ToUpper(method) + " " + path
			all[name] = []int{}
			for code, response := range op.Responses {
				n, err := strconv.Atoi(code)
				if err != nil {
					panic(err)
				}
				if ref, ok := strings.CutPrefix(response.Ref, "#/components/responses/"); ok && doc.Components.Responses[ref] == nil {
					panic(name + ": no response " + ref)
				}
				all[name] = append(all[name], n)
			}
		}
	}
	return all
})

func TestEachRouteIsDescribedAndNoOther(t *testing.T) {
	g := &Gateway{}
	var served []string
	for _, r := range g.table() {
		served = append(served, r.name())
	}
	var named []string
	for name, codes := range described() {
		named = append(named, name)
		for _, code := range codes {
			if !slices.Contains(statuses[:], code) {
				t.Errorf("%s is described with %d, which no handler answers", name, code)
			}
		}
	}
	slices.Sort(served)
	slices.Sort(named)
	if !slices.Equal(served, named) {
		t.Errorf("served:\n%q\ndescribed:\n%q", served, named)
	}
}

// Each content type that is taken is described.
func TestContentTypesAreDescribed(t *testing.T) {
	for kind := range formats {
		if !strings.Contains(string(OpenAPI()), "\n          "+kind+":\n") {
			t.Errorf("openapi.yaml does not have %s", kind)
		}
	}
}

func TestOpenAPIIsServed(t *testing.T) {
	b := start(t)
	got := b.do("GET", "/openapi.yaml", "")
	b.expect(got, 200, "openapi: 3.1.0")
	if got.header.Get("Content-Type") != "application/yaml" || got.body != string(OpenAPI()) {
		t.Errorf("%v", got.header)
	}
}

// check that a status is among those described for the route: every request of every test passes here.
func (b *bench) checkDescribed(method, path string, status int) {
	b.t.Helper()
	path, _, _ = strings.Cut(path, "?")
	for i := range b.routes {
		r := &b.routes[i]
		if r.method == method && matches(r.pattern, path) && !slices.Contains(described()[r.name()], status) {
			b.t.Errorf("%s answered %d, which openapi.yaml does not have", r.name(), status)
		}
	}
}

func matches(pattern, path string) bool {
	p, q := strings.Split(pattern, "/"), strings.Split(path, "/")
	return len(p) == len(q) && !slices.ContainsFunc(p, func(s string) bool {
		i := slices.Index(p, s)
		return !strings.HasPrefix(s, "{") && s != q[i]
	})
}

func TestMetrics(t *testing.T) {
	b := start(t)
	b.expect(b.do("POST", rawPath, "v"), 200)
	b.expect(b.do("POST", "/v1/topics/other/records", "v"), 403)
	var out strings.Builder
	b.WriteMetrics(&out)
	for _, want := range []string{
		`mooring_shim_http_requests_total{route="POST /v1/topics/{topic}/records",status="200"} 1`,
		`mooring_shim_http_requests_total{route="POST /v1/topics/{topic}/records",status="403"} 1`,
		`mooring_shim_http_records_total{outcome="written"} 1`, `mooring_shim_http_pending_records 0`,
		`mooring_shim_http_request_seconds_count{route="POST /v1/topics/{topic}/records"} 2`,
	} {
		if !strings.Contains(out.String(), want+"\n") {
			t.Errorf("no %s in\n%s", want, &out)
		}
	}
}
