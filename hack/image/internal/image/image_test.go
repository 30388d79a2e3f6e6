package image

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func platform(architecture string) v1.Platform {
	return v1.Platform{OS: "linux", Architecture: architecture}
}

func content(t *testing.T) Content {
	t.Helper()
	dir := t.TempDir()
	c := Content{Roots: true, Created: time.Unix(0, 0).UTC(), Platform: platform("amd64")}
	for _, name := range []string{"mooring", "mooring-shim"} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte("\x7fELF "+name), 0o700); err != nil {
			t.Fatal(err)
		}
		c.Binaries = append(c.Binaries, Binary{Name: name, File: file})
	}
	return c
}

func assemble(t *testing.T, c Content) v1.Image {
	t.Helper()
	image, err := Assemble(c)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func multi(t *testing.T) *Multi {
	t.Helper()
	m := &Multi{Name: "example.com/mooring:v1"}
	for _, architecture := range []string{"amd64", "arm64"} {
		c := content(t)
		c.Platform = platform(architecture)
		m.Add(c.Platform, assemble(t, c))
	}
	return m
}

func TestTheImageIsTheSameWhenItIsMadeAgain(t *testing.T) {
	a, err := multi(t).Digest()
	if err != nil {
		t.Fatal(err)
	}
	b, err := multi(t).Digest()
	if err != nil || a != b {
		t.Errorf("want one digest, got %s and %s, %v", a, b, err)
	}
}

func TestTheConfigIsOfAUserWithoutRights(t *testing.T) {
	config, err := assemble(t, content(t)).ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.Config.User != "65532:65532" || config.Architecture != "amd64" || config.OS != "linux" || config.Config.Entrypoint[0] != "/mooring" {
		t.Errorf("want /mooring for linux/amd64 as 65532, got %+v", config)
	}
}

// files reads the files of an image as its programs see them.
func files(t *testing.T, image v1.Image) map[string]*tar.Header {
	t.Helper()
	found := map[string]*tar.Header{}
	reader := tar.NewReader(mutate.Extract(image))
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		found[header.Name] = header
	}
}

func TestFilesAreRootsAndCannotBeChanged(t *testing.T) {
	found := files(t, assemble(t, content(t)))
	for name, mode := range map[string]fs.FileMode{"mooring": 0o755, "mooring-shim": 0o755, "etc/ssl/certs/ca-certificates.crt": 0o644, "etc/ssl/certs": 0o755} {
		header := found[name]
		if header == nil {
			t.Errorf("the image has no %s; it has %v", name, found)
			continue
		}
		if header.Uid != 0 || fs.FileMode(header.Mode).Perm() != mode || !header.ModTime.Equal(time.Unix(0, 0)) {
			t.Errorf("want %s to be root's with mode %o of 1970, got %+v", name, mode, header)
		}
	}
}

func TestRootsAreCertificates(t *testing.T) {
	roots, err := rootsPEM()
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(roots) || bytes.Count(roots, []byte("BEGIN CERTIFICATE")) < 100 {
		t.Errorf("want Mozilla's list, which has more than a hundred, got %d", bytes.Count(roots, []byte("BEGIN CERTIFICATE")))
	}
}

func TestArchiveHoldsThisMachinesPlatformUnderTheName(t *testing.T) {
	file := filepath.Join(t.TempDir(), "image.tar")
	m := multi(t)
	chosen, err := m.Archive(file, "arm64")
	if err != nil || chosen.Architecture != "arm64" {
		t.Fatalf("want arm64, got %v, %v", chosen, err)
	}
	manifest, err := tarball.LoadManifest(func() (io.ReadCloser, error) { return os.Open(file) })
	if err != nil || len(manifest) != 1 || manifest[0].RepoTags[0] != "example.com/mooring:v1" {
		t.Errorf("want one image under its name, got %+v, %v", manifest, err)
	}
}

func TestLayoutHoldsAllPlatforms(t *testing.T) {
	dir, m := t.TempDir(), multi(t)
	// The second time over what the first left.
	for range 2 {
		if err := m.Layout(dir); err != nil {
			t.Fatal(err)
		}
	}
	index, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	top, err := index.IndexManifest()
	if err != nil || len(top.Manifests) != 1 {
		t.Fatalf("want one index in the layout, got %+v, %v", top, err)
	}
	want, err := m.Digest()
	if err != nil || top.Manifests[0].Digest.String() != want {
		t.Errorf("want the index %s, got %s, %v", want, top.Manifests[0].Digest, err)
	}
	inner, err := index.ImageIndex(top.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := inner.IndexManifest()
	if err != nil || len(manifest.Manifests) != 2 || manifest.Manifests[1].Platform.Architecture != "arm64" {
		t.Errorf("want amd64 and arm64, got %+v, %v", manifest, err)
	}
}

func TestBuildMakesAStaticProgram(t *testing.T) {
	platforms, err := ParsePlatforms("linux/amd64, linux/arm64")
	if err != nil || len(platforms) != 2 {
		t.Fatalf("want two platforms, got %v, %v", platforms, err)
	}
	var digests []string
	for range 2 {
		binaries, err := Build(t.Context(), "../..", t.TempDir(), platforms[1], []string{"./pause"})
		if err != nil {
			t.Fatal(err)
		}
		if len(binaries) != 1 || binaries[0].Name != "pause" {
			t.Fatalf("want the program pause, got %v", binaries)
		}
		c := Content{Binaries: binaries, Created: time.Unix(0, 0).UTC(), Platform: platforms[1]}
		digest, err := assemble(t, c).Digest()
		if err != nil {
			t.Fatal(err)
		}
		digests = append(digests, digest.String())
	}
	if digests[0] != digests[1] {
		t.Errorf("want the same image from two builds, got %v", digests)
	}
}

func TestWhatIsWrongIsSaid(t *testing.T) {
	if _, err := ParsePlatforms("windows/amd64"); err == nil {
		t.Error("a platform that scratch is not for was taken")
	}
	if _, err := Created("yesterday"); err == nil {
		t.Error("a time that is no number was taken")
	}
	if _, err := Build(t.Context(), "../..", t.TempDir(), platform("amd64"), []string{"./internal/image"}); err == nil {
		t.Error("a package that is no program was built")
	}
	m := &Multi{Name: "UPPER CASE", platforms: []v1.Platform{platform("amd64")}, images: []v1.Image{assemble(t, content(t))}}
	if _, err := m.Archive(filepath.Join(t.TempDir(), "x"), "amd64"); err == nil {
		t.Error("a name that is none was taken")
	}
}
