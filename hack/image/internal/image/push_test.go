package image

import (
	"io"
	"log"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func TestPushedIsWhatARegistryGivesToEachPlatform(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	m := multi(t)
	m.Name = strings.TrimPrefix(server.URL, "http://") + "/team/mooring:v1"
	if err := m.Push(t.Context()); err != nil {
		t.Fatal(err)
	}
	want, err := m.Digest()
	if err != nil {
		t.Fatal(err)
	}
	reference, err := name.ParseReference(m.Name)
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(reference)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := index.Digest(); err != nil || got.String() != want {
		t.Errorf("the registry has %s, %v; want %s, which was printed", got, err, want)
	}
	for _, architecture := range []string{"amd64", "arm64"} {
		pulled, err := remote.Image(reference, remote.WithPlatform(v1.Platform{OS: "linux", Architecture: architecture}))
		if err != nil {
			t.Fatal(err)
		}
		if config, err := pulled.ConfigFile(); err != nil || config.Architecture != architecture {
			t.Errorf("for %s the registry gives %+v, %v", architecture, config, err)
		}
	}
}

func TestARegistryThatIsNotThereIsNamed(t *testing.T) {
	server := httptest.NewServer(registry.New())
	m := multi(t)
	m.Name = strings.TrimPrefix(server.URL, "http://") + "/team/mooring:v1"
	server.Close()
	if err := m.Push(t.Context()); err == nil || !strings.Contains(err.Error(), m.Name) || !strings.Contains(err.Error(), "log in to the registry") {
		t.Errorf("%v: it names neither the image nor a mend", err)
	}
}
