// Package filelock keeps two processes from doing the same work in the same
// folder at once. The lock is the kernel's (flock), so it ends with the process
// that holds it, however that process ends.
package filelock

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// pollEvery is how often a waiting process asks for the lock again. flock can
// block, but a blocked flock cannot be cancelled by a context.
const pollEvery = 100 * time.Millisecond

// Lock is a held lock. Release it once.
type Lock struct {
	file *os.File
	path string
}

// Acquire takes the lock whose file is path, making the file and its folder
// where they are missing. It waits until ctx ends; onWait, which may be nil, is
// called once when the lock is found taken.
func Acquire(ctx context.Context, path string, onWait func()) (*Lock, error) {
	ticker := time.NewTicker(pollEvery)
	defer ticker.Stop()
	for {
		lock, err := try(path)
		if err != nil || lock != nil {
			return lock, err
		}
		if onWait != nil {
			onWait()
			onWait = nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("gave up waiting for the lock %s, which another localkube holds: %w; wait for that one or stop it, and try again", path, ctx.Err())
		case <-ticker.C:
		}
	}
}

// try returns nil, nil when another process holds the lock.
func try(path string) (*Lock, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("cannot make the folder of the lock %s: %w; choose a folder that you may write to", path, err)
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if errors.Is(err, os.ErrNotExist) {
		// The holder removed the folder just after we made it.
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot open the lock %s: %w; choose a folder that you may write to", path, err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err == nil && isCurrent(file, path) {
		return &Lock{file: file, path: path}, nil
	}
	_ = file.Close()
	// A file that was removed between our open and our flock locks nothing that
	// anyone else can see, so that counts as taken too: the next try makes a new one.
	if err == nil || errors.Is(err, syscall.EWOULDBLOCK) || errors.Is(err, syscall.EINTR) {
		return nil, nil
	}
	return nil, fmt.Errorf("cannot lock %s: %w; the file system may not support flock: choose another folder", path, err)
}

func isCurrent(file *os.File, path string) bool {
	ours, err := file.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(ours, named)
}

// Release lets the next process in and leaves the lock's file behind.
func (l *Lock) Release() { _ = l.file.Close() }

// Remove deletes the lock's file and lets the next process in. The order
// matters: removed while still held, so that whoever waits sees that the file
// it opened is no longer the one at the path.
func (l *Lock) Remove() {
	_ = os.Remove(l.path)
	l.Release()
}
