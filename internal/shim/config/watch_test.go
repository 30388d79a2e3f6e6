package config

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mooring.dev/mooring/internal/contract"
)

func write(t *testing.T, path string, revision int64) {
	t.Helper()
	data, err := contract.Encode(contract.Contract{
		Profile: contract.Profile{Name: "p", Revision: revision}, Cluster: contract.Cluster{Name: "c", BootstrapServers: []string{"kafka:9092"}},
		Guarantee: contract.AtLeastOnce, Enforcement: contract.Enforcement{Mode: contract.Upgrade, Acks: -1, Unsupported: contract.UnsupportedCount},
		Limits: contract.Limits{MaxInFlight: 5}, Timing: contract.Timing{DeliveryTimeout: 1000},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// A downwardAPI volume is a folder with a time in its name, a link ..data to it, and links through that for each file.
func TestAContractIsTakenUpWithinASecondWhenTheKubeletSwapsItsFolder(t *testing.T) {
	dir := t.TempDir()
	for i, name := range []string{"..one", "..two", "..three"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name, "contract.json"), int64(i+1))
	}
	swap := func(to string) {
		next := filepath.Join(dir, "..data_tmp")
		if err := os.Symlink(to, next); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	swap("..one")
	path := filepath.Join(dir, "contract.json")
	if err := os.Symlink("..data/contract.json", path); err != nil {
		t.Fatal(err)
	}
	c, sum, err := Load(path)
	if err != nil || c.Profile.Revision != 1 {
		t.Fatalf("%+v %v", c, err)
	}
	changed, failed := make(chan int64, 10), make(chan error, 10)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go Watch(ctx, path, sum, func(c contract.Contract) { changed <- c.Profile.Revision }, func(err error) { failed <- err })

	within := func(want int64) {
		t.Helper()
		begin := time.Now()
		select {
		case got := <-changed:
			if got != want {
				t.Fatalf("revision %d, want %d", got, want)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("revision %d was not taken up", want)
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("revision %d took %v", want, took)
		}
	}
	swap("..two")
	within(2)
	if err := os.WriteFile(filepath.Join(dir, "..two", "contract.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-failed:
		if err == nil {
			t.Error("it was told of without a reason")
		}
	case <-time.After(10 * time.Second):
		t.Fatal("a broken contract was not told of")
	}
	swap("..three")
	within(3)
	if len(changed)+len(failed) > 0 {
		t.Error("something was told twice")
	}
}

func TestLoadSaysWhatIsWrong(t *testing.T) {
	if _, _, err := Load(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a file that is not there")
	}
	large := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(large, make([]byte, contract.MaxSize+1000), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Load(large); err == nil {
		t.Error("a file that is too large")
	}
}
