package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lock takes an exclusive lock on a file (made if missing) and returns what releases it. The kernel releases it too
// when the process dies, so there are no stale locks. While another process holds it, lock waits until ctx ends.
func lock(ctx context.Context, path string, r *reporter) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("the folder of the lock file %s can't be made; set MOORING_CACHE to a folder that may be written: %w", path, err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("the lock file %s can't be opened; set MOORING_CACHE to a folder that may be written: %w", path, err)
	}
	said := false
	err = poll(ctx, 50*time.Millisecond, func() (bool, error) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
			if !said {
				said = true
				r.Sayf("waiting for another localkafka that holds %s", path)
			}
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("the lock %s was not to be had: another localkafka is at work on the same thing; wait for it, or end it: %w", path, err)
	}
	return func() { _ = f.Close() }, nil
}
