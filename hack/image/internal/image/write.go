package image

import (
	"context"
	"fmt"
	"os"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Multi is one image for several platforms.
type Multi struct {
	// Name is its name and tag.
	Name string

	platforms []v1.Platform
	images    []v1.Image
}

// Add adds the image of one more platform.
func (m *Multi) Add(platform v1.Platform, image v1.Image) {
	m.platforms = append(m.platforms, platform)
	m.images = append(m.images, image)
}

// index is what a registry holds under the name.
func (m *Multi) index() v1.ImageIndex {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for i, image := range m.images {
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add:        mutate.ConfigMediaType(mutate.MediaType(image, types.OCIManifestSchema1), types.OCIConfigJSON),
			Descriptor: v1.Descriptor{Platform: &m.platforms[i]},
		})
	}
	return index
}

// Digest is the index's.
func (m *Multi) Digest() (string, error) {
	digest, err := m.index().Digest()
	return digest.String(), err
}

// Archive writes a docker-archive of the image for that architecture, or of the first where there is none.
func (m *Multi) Archive(file, architecture string) (v1.Platform, error) {
	chosen := 0
	for i, p := range m.platforms {
		if p.Architecture == architecture {
			chosen = i
		}
	}
	tag, err := name.NewTag(m.Name)
	if err != nil {
		return v1.Platform{}, fmt.Errorf("--name is %q, which is not a name with a tag: %w", m.Name, err)
	}
	if err := tarball.WriteToFile(file, tag, m.images[chosen]); err != nil {
		return v1.Platform{}, fmt.Errorf("write the archive %s: %w", file, err)
	}
	return m.platforms[chosen], nil
}

// Layout writes an OCI layout with all platforms, in the place of what the folder held of one.
func (m *Multi) Layout(dir string) error {
	for _, old := range []string{"index.json", "oci-layout", "blobs"} {
		if err := os.RemoveAll(dir + "/" + old); err != nil {
			return err
		}
	}
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return fmt.Errorf("write the layout %s: %w", dir, err)
	}
	annotations := map[string]string{"org.opencontainers.image.ref.name": m.Name}
	if err := path.AppendIndex(m.index(), layout.WithAnnotations(annotations)); err != nil {
		return fmt.Errorf("write the layout %s: %w", dir, err)
	}
	return nil
}

// Push sends all platforms to the registry in the name.
func (m *Multi) Push(ctx context.Context) error {
	reference, err := name.ParseReference(m.Name)
	if err != nil {
		return fmt.Errorf("--name is %q: %w", m.Name, err)
	}
	if err := remote.WriteIndex(reference, m.index(), remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
		return fmt.Errorf("push %s: %w; log in to the registry, or leave --push out", m.Name, err)
	}
	return nil
}
