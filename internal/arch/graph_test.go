package arch

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
)

const module = "mooring.dev/mooring"

// graph is every package of the module and all that it is built from, by import path.
type graph map[string]*node

type node struct {
	ImportPath string
	Dir        string
	Standard   bool
	GoFiles    []string
	Imports    []string
}

// load asks the go command once.
var load = sync.OnceValues(func() (graph, error) {
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,Standard,GoFiles,Imports", "./...")
	cmd.Dir = "../.."
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, errors.New("go list: " + err.Error() + "\n" + stderr.String())
	}
	g := make(graph)
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		n := new(node)
		if err := d.Decode(n); errors.Is(err, io.EOF) {
			return g, nil
		} else if err != nil {
			return nil, err
		}
		g[n.ImportPath] = n
	}
})

func loaded(t *testing.T) graph {
	t.Helper()
	g, err := load()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// ours are the packages of the module, sorted, without the module's name before them.
func (g graph) ours() []string {
	var all []string
	for name := range g {
		if short, ok := strings.CutPrefix(name, module+"/"); ok {
			all = append(all, short)
		}
	}
	slices.Sort(all)
	return all
}

// chain is the shortest way by which a package comes to import one that is wanted; nil when it does not.
func (g graph) chain(from string, wanted func(name string) bool) []string {
	before := map[string]string{from: ""}
	for queue := []string{from}; len(queue) > 0; queue = queue[1:] {
		n := g[queue[0]]
		if n == nil {
			continue
		}
		for _, next := range n.Imports {
			if _, seen := before[next]; seen {
				continue
			}
			before[next] = queue[0]
			if wanted(next) {
				var way []string
				for at := next; at != ""; at = before[at] {
					way = append(way, at)
				}
				slices.Reverse(way)
				return way
			}
			queue = append(queue, next)
		}
	}
	return nil
}

// matches says whether a package is one of the patterns. A pattern is a path, where * stands for one element and a last
// element ... for it and all below.
func matches(name string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		if above, ok := strings.CutSuffix(pattern, "/..."); ok {
			depth := strings.Count(above, "/") + 1
			elements := strings.Split(name, "/")
			return len(elements) >= depth && matches(strings.Join(elements[:depth], "/"), []string{above})
		}
		ok, _ := path.Match(pattern, name)
		return ok
	})
}

func TestMatches(t *testing.T) {
	tests := []struct {
		name, pattern string
		want          bool
	}{
		{"k8s.io/api/core/v1", "k8s.io/...", true},
		{"k8s.io", "k8s.io/...", true},
		{"k8s.iox/api", "k8s.io/...", false},
		{"k8s.io/api", "k8s.io/apimachinery/...", false},
		{"log", "log", true},
		{"log/slog", "log", false},
		{"log/slog", "log/...", true},
		{"internal/shim/wire", "internal/shim/*", true},
		{"internal/shim/wire/x", "internal/shim/*", false},
		{"cmd/mooring/x", "cmd/*/...", true},
	}
	for _, tt := range tests {
		if got := matches(tt.name, []string{tt.pattern}); got != tt.want {
			t.Errorf("matches(%s, %s) = %t", tt.name, tt.pattern, got)
		}
	}
}
