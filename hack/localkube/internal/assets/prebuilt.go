package assets

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mooring.dev/mooring/hack/localkube/internal/component"
	"mooring.dev/mooring/hack/localkube/internal/report"
)

const (
	// setupEnvtest downloads the binaries that controller-runtime's maintainers
	// build. Its version is that of the controller-runtime that Mooring uses, up
	// to the patch.
	setupEnvtest = "sigs.k8s.io/controller-runtime/tools/setup-envtest@v0.25.1"
	// downloadBound is when a download has taken longer than a build would.
	downloadBound = 3 * time.Minute
)

// download puts those of the components into dir that can be had prebuilt. It
// reports why when it cannot: then they are built, so that is no error.
func download(ctx context.Context, o Options, root, dir string, components []component.Component) {
	var wanted []component.Component
	for _, c := range components {
		if c.Prebuilt {
			wanted = append(wanted, c)
		}
	}
	if len(wanted) == 0 {
		return
	}
	if o.NoDownload || os.Getenv(EnvNoDownload) != "" {
		o.Report("not downloading %s: --no-download or %s is set", list(wanted), EnvNoDownload)
		return
	}
	o.Report("downloading %s with setup-envtest", list(wanted))
	from, err := runSetupEnvtest(ctx, root, o.Report)
	if err == nil {
		err = copyAll(from, dir, wanted)
	}
	if err != nil {
		o.Report("cannot download them, so they are built: %v", err)
		return
	}
	o.Report("downloaded %s", list(wanted))
}

// runSetupEnvtest returns the folder that it downloaded to.
func runSetupEnvtest(ctx context.Context, root string, progress report.Func) (string, error) {
	stop := report.Heartbeat(heartbeatEvery, func(elapsed time.Duration) {
		progress("downloading: %s, given up after %s", report.Seconds(elapsed), report.Seconds(downloadBound))
	})
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, downloadBound)
	defer cancel()
	stdout, stderr, err := runGo(ctx, os.TempDir(), "run", setupEnvtest, "use",
		"--bin-dir", filepath.Join(root, "envtest"), "-p", "path", minorVersion(component.KubernetesVersion)+".x")
	if ctx.Err() != nil {
		return "", fmt.Errorf("it was not done after %s", report.Seconds(downloadBound))
	}
	if err != nil {
		return "", errors.New(reason(stderr, err))
	}
	return strings.TrimSpace(stdout), nil
}

// reason is the last line that says something. `go run` ends with the exit
// status of what it ran, which does not.
func reason(stderr string, err error) string {
	lines := report.LastLines(stderr, 100)
	for i := len(lines) - 1; i >= 0; i-- {
		if line := strings.TrimSpace(lines[i]); !strings.HasPrefix(line, "exit status ") {
			return line
		}
	}
	return err.Error()
}

// minorVersion turns v1.36.3 into 1.36.
func minorVersion(version string) string {
	version = strings.TrimPrefix(version, "v")
	return version[:strings.LastIndex(version, ".")]
}

func copyAll(from, to string, components []component.Component) error {
	if lacking := missing(from, components); len(lacking) > 0 {
		return fmt.Errorf("%s was downloaded but has no %s", from, list(lacking))
	}
	for _, c := range components {
		if err := copyBinary(filepath.Join(from, c.Name), temporary(to, c.Name)); err != nil {
			return err
		}
		if err := os.Rename(temporary(to, c.Name), filepath.Join(to, c.Name)); err != nil {
			return err
		}
	}
	return nil
}

func copyBinary(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}
