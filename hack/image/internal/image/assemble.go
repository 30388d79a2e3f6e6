package image

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"os"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// User runs the programs: "nonroot" of the distroless images, by number, so that the kubelet can tell that it is not root.
const User = "65532:65532"

// rootsPath is where Go's crypto/x509 looks first.
const rootsPath = "etc/ssl/certs/ca-certificates.crt"

// Content is what an image of one platform holds.
type Content struct {
	// Binaries are the programs; the first is the entry point.
	Binaries []Binary
	// Roots puts Mozilla's root certificates in.
	Roots bool
	// Created is the time of the image and of all files in it.
	Created time.Time
	// Platform is what the binaries were built for.
	Platform v1.Platform
}

// Assemble makes an image of it: the certificates in a layer that seldom changes, and each program in one of its own, so
// that what did not change is not sent again.
func Assemble(c Content) (v1.Image, error) {
	config := &v1.ConfigFile{
		Architecture: c.Platform.Architecture,
		OS:           c.Platform.OS,
		Variant:      c.Platform.Variant,
		Created:      v1.Time{Time: c.Created},
		RootFS:       v1.RootFS{Type: "layers"},
		Config: v1.Config{
			User:       User,
			WorkingDir: "/",
			Entrypoint: []string{"/" + c.Binaries[0].Name},
			Env:        []string{"PATH=/"},
		},
	}
	image, err := mutate.ConfigFile(empty.Image, config)
	if err != nil {
		return nil, err
	}
	var layers []mutate.Addendum
	if c.Roots {
		roots, err := rootsPEM()
		if err != nil {
			return nil, err
		}
		if layers, err = add(layers, c.Created, "root certificates", file{rootsPath, 0o644, roots}); err != nil {
			return nil, err
		}
	}
	for _, b := range c.Binaries {
		content, err := os.ReadFile(b.File)
		if err != nil {
			return nil, err
		}
		if layers, err = add(layers, c.Created, b.Name, file{b.Name, 0o755, content}); err != nil {
			return nil, err
		}
	}
	return mutate.Append(image, layers...)
}

type file struct {
	path    string
	mode    int64
	content []byte
}

func add(layers []mutate.Addendum, created time.Time, what string, f file) ([]mutate.Addendum, error) {
	content, err := archive(created, f)
	if err != nil {
		return nil, fmt.Errorf("make the layer with %s: %w", f.path, err)
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil })
	if err != nil {
		return nil, fmt.Errorf("make the layer with %s: %w", f.path, err)
	}
	return append(layers, mutate.Addendum{
		Layer:   layer,
		History: v1.History{Created: v1.Time{Time: created}, CreatedBy: "hack/image", Comment: what},
	}), nil
}

// archive is a tar with the file and the folders above it, all of them root's: whoever runs the program cannot change it.
func archive(created time.Time, f file) ([]byte, error) {
	var buffer bytes.Buffer
	w := tar.NewWriter(&buffer)
	for i := range f.path {
		if f.path[i] != '/' {
			continue
		}
		header := &tar.Header{Typeflag: tar.TypeDir, Name: f.path[:i+1], Mode: 0o755, ModTime: created}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
	}
	header := &tar.Header{Typeflag: tar.TypeReg, Name: f.path, Mode: f.mode, Size: int64(len(f.content)), ModTime: created}
	if err := w.WriteHeader(header); err != nil {
		return nil, err
	}
	if _, err := w.Write(f.content); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}
