package filelock

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestAcquireWaitsForTheHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "on", "the", "way", "lock")
	held, err := Acquire(t.Context(), path, func() { t.Error("waited for a lock that nobody held") })
	if err != nil {
		t.Fatal(err)
	}
	waiting := make(chan struct{})
	got := make(chan error, 1)
	go func() {
		second, err := Acquire(t.Context(), path, func() { close(waiting) })
		if err == nil {
			second.Release()
		}
		got <- err
	}()
	<-waiting
	select {
	case err := <-got:
		t.Fatalf("a second Acquire returned (%v) while the first still held the lock", err)
	default:
	}
	held.Release()
	if err := <-got; err != nil {
		t.Fatal(err)
	}
}

func TestAcquireEndsWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	held, err := Acquire(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer held.Release()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := Acquire(ctx, path, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("want a deadline error, got %v", err)
	}
}

func TestRemoveSendsTheNextOneToANewFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := Acquire(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	first.Remove()
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("want the lock's file gone, got %v", err)
	}
	second, err := Acquire(t.Context(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !isCurrent(second.file, path) {
		t.Error("the second lock is not the file at the path")
	}
	second.Release()
}
