package component

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func names(components []Component) []string {
	var out []string
	for _, c := range components {
		out = append(out, c.Name)
	}
	return out
}

func TestSelect(t *testing.T) {
	tests := map[string]struct {
		reason string
		names  []string
		want   []string
		err    string
	}{
		"any order":    {"etcd must come first whatever the user types", []string{"kubectl", "kube-apiserver", "etcd"}, []string{"etcd", "kube-apiserver", "kubectl"}, ""},
		"twice":        {"a binary is built once", []string{"etcd", "etcd"}, []string{"etcd"}, ""},
		"spaces":       {"a list may be written with spaces", []string{"etcd", " kubectl"}, []string{"etcd", "kubectl"}, ""},
		"all":          {"all is every component of the table", []string{"all"}, Names(), ""},
		"for up":       {"the default of up is five", ForUp(), []string{"etcd", "kube-apiserver", "kubectl", "kube-controller-manager", "kube-scheduler"}, ""},
		"a wrong name": {"the error lists what there is", []string{"cilium"}, nil, `no component "cilium"; choose from etcd, kube-apiserver`},
		"none":         {"nothing to do is a mistake", nil, nil, "no component was chosen"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := Select(tc.names)
			if tc.err == "" && err != nil || tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)) {
				t.Fatalf("%s: want error %q, got %v", tc.reason, tc.err, err)
			}
			if !slices.Equal(names(got), tc.want) {
				t.Errorf("%s: want %v, got %v", tc.reason, tc.want, names(got))
			}
		})
	}
}

func TestCheckRunnable(t *testing.T) {
	for list, want := range map[string]bool{
		"etcd,kube-apiserver,kubectl":                true,
		"etcd,kubectl":                               false,
		"kube-apiserver,kube-controller-manager":     false,
		"etcd,kube-apiserver,kube-scheduler":         true,
		"etcd,kube-apiserver,kube-scheduler,kubelet": false,
	} {
		components, err := Select(strings.Split(list, ","))
		if err != nil {
			t.Fatal(err)
		}
		if err := CheckRunnable(components, Layout{}); (err == nil) != want {
			t.Errorf("%s: want runnable=%v, got %v", list, want, err)
		}
	}
}

// The version is said twice, in go.mod for the go command and here for ours.
func TestKubernetesVersionIsTheOneInGoMod(t *testing.T) {
	content, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "k8s.io/kubernetes " + KubernetesVersion; !strings.Contains(string(content), want) {
		t.Errorf("go.mod does not require %q", want)
	}
	staging := strings.Replace(KubernetesVersion, "v1.", "v0.", 1)
	for line := range strings.Lines(string(content)) {
		if strings.Contains(line, "=> k8s.io/") && !strings.HasSuffix(line, " "+staging+"\n") {
			t.Errorf("go.mod replaces with another version than %s: %s", staging, strings.TrimSpace(line))
		}
	}
	for _, c := range table {
		if strings.HasPrefix(c.Package, "./") {
			continue
		}
		content, err := os.ReadFile(filepath.Join("..", "..", c.Module, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(content), "\t"+c.Package+"\n") {
			t.Errorf("the go.mod of module %q has no tool directive for %s, so go.sum may not cover what it imports", c.Module, c.Package)
		}
	}
}
