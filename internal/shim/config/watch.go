// Package config reads the contract and follows its changes.
package config

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"mooring.dev/mooring/internal/contract"
)

// Interval between two looks at the contract's file. A kubelet swaps a link, which inotify on the file does not show; a look
// is two system calls.
const Interval = 100 * time.Millisecond

// Sum of a contract's file.
type Sum [sha256.Size]byte

// Load reads a contract, and the sum of its file for Watch.
func Load(path string) (contract.Contract, Sum, error) {
	data, err := read(path)
	if err != nil {
		return contract.Contract{}, Sum{}, err
	}
	c, err := contract.Decode(data)
	return c, sha256.Sum256(data), err
}

// read at most what a contract may have, and a byte, so that a wrong path cannot fill the memory.
func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, contract.MaxSize+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return data, nil
}

// stamp changes when the file does, or the link that leads to it (a downwardAPI volume swaps ..data).
type stamp struct {
	link string
	time time.Time
	size int64
}

func look(path string) (stamp, error) {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}, err
	}
	link, _ := os.Readlink(filepath.Join(filepath.Dir(path), "..data"))
	return stamp{link, info.ModTime(), info.Size()}, nil
}

// Watch calls changed with every new contract, and failed with what could not be taken up, once for each content, until the
// context ends. The content with the sum is known.
func Watch(ctx context.Context, path string, sum Sum, changed func(contract.Contract), failed func(error)) {
	var known stamp
	ticker := time.NewTicker(Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now, err := look(path)
		if err != nil || now == known {
			continue // a file that is away for a moment is being replaced
		}
		data, err := read(path)
		if err != nil {
			continue
		}
		known = now
		if next := sha256.Sum256(data); next != sum {
			sum = next
			c, err := contract.Decode(data)
			if err != nil {
				failed(err)
				continue
			}
			changed(c)
		}
	}
}
