package main

import (
	"path/filepath"
	"reflect"
	"testing"

	"mooring.dev/mooring/hack/localkube/internal/assets"
)

func TestExportIsSafeForAShell(t *testing.T) {
	for path, want := range map[string]string{
		"/tmp/kube/kubeconfig": "export KUBECONFIG=/tmp/kube/kubeconfig",
		"/tmp/my kube/k":       "export KUBECONFIG='/tmp/my kube/k'",
		"/tmp/$(id)/it's":      `export KUBECONFIG='/tmp/$(id)/it'\''s'`,
	} {
		if got := export(path); got != want {
			t.Errorf("want %s, got %s", want, got)
		}
	}
}

func TestParseExtraArgs(t *testing.T) {
	got, err := parseExtraArgs([]string{"etcd=--log-level=warn", "kube-apiserver=--v=4", "kube-apiserver=--feature-gates=A=true"})
	want := map[string][]string{"etcd": {"--log-level=warn"}, "kube-apiserver": {"--v=4", "--feature-gates=A=true"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("want %v, got %v, %v", want, got, err)
	}
	for _, wrong := range []string{"--v=4", "etcd", "kubectl=--v=4", "cilium=--v=4", "etcd=warn"} {
		if _, err := parseExtraArgs([]string{wrong}); err == nil {
			t.Errorf("want %q refused", wrong)
		}
	}
}

func TestDirResolve(t *testing.T) {
	cache, env, flag := t.TempDir(), t.TempDir(), t.TempDir()
	t.Setenv(assets.EnvCache, cache)
	tests := map[string]struct{ flag, env, want string }{
		"the flag":        {flag, env, flag},
		"the environment": {"", env, env},
		"the cache":       {"", "", filepath.Join(cache, "localkube")},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Setenv(envDir, tc.env)
			f := dirFlag{dir: tc.flag}
			if got, err := f.resolve(); err != nil || got != tc.want {
				t.Errorf("want %s, got %s, %v", tc.want, got, err)
			}
		})
	}
}
