package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	_ "net/http/pprof" // for PPROF_FLOOR=127.0.0.1:6060
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/shim/gateway/sink"
	"mooring.dev/mooring/test/shim/rig"
)

const topic = "bench"

// child is a process of this program in another role, or the shim.
type child struct {
	command *exec.Cmd
	role    *rig.Role // nil for the shim
	address string
}

// spawn a role.
func spawn(ctx context.Context, name, brokers string) (*child, error) {
	r, err := rig.Spawn(ctx, name, brokers)
	if err != nil {
		return nil, err
	}
	return &child{command: r.Command, role: r, address: r.Addresses[0]}, nil
}

// startShim starts the shim as it is in a pod: its own program, with its own settings of the memory.
func startShim(ctx context.Context, program, brokers string) (*child, error) {
	addresses := make([]string, 3)
	for i := range addresses {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		addresses[i] = l.Addr().String()
		l.Close()
	}
	c := &child{address: addresses[0]}
	c.command = exec.CommandContext(ctx, program, "--bootstrap-servers", brokers, "--http-listen", addresses[0], "--kafka-listen", addresses[1], "--status-listen", addresses[2], "--log-level", "error")
	c.command.Stderr = os.Stderr
	if err := c.command.Start(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	err := rig.Until(ctx, 10*time.Millisecond, func() bool {
		resp, err := http.Get("http://" + addresses[2] + "/readyz")
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == http.StatusOK
	})
	if err != nil {
		c.stop()
		return nil, fmt.Errorf("the shim did not become ready: %w", err)
	}
	return c, nil
}

func (c *child) stop() {
	if c.role == nil {
		_ = c.command.Process.Signal(syscall.SIGTERM) // it has ended, then
		_ = c.command.Wait()
		return
	}
	c.role.Stop()
}

// role runs until standard input ends.
func role(ctx context.Context, name string, args []string) error {
	if name == "brokers" {
		cluster, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(6, topic), kfake.BlackholeProduce(), kfake.ClusterID("bench"))
		if err != nil {
			return err
		}
		defer cluster.Close()
		fmt.Println(strings.Join(cluster.ListenAddrs(), ","))
		_, err = io.Copy(io.Discard, os.Stdin)
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	c := policy(args[0])
	serve, err := server(name, c)
	if err != nil {
		return err
	}
	go func() { _ = serve(l) }()
	if address := os.Getenv("PPROF_" + strings.ToUpper(name)); address != "" {
		go func() { _ = http.ListenAndServe(address, nil) }()
	}
	fmt.Println(l.Addr())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func policy(brokers string) contract.Contract {
	return contract.Contract{
		Cluster:     contract.Cluster{Name: "bench", ID: "bench", BootstrapServers: strings.Split(brokers, ",")},
		Guarantee:   contract.Idempotent,
		Enforcement: contract.Enforcement{Mode: contract.Upgrade, Acks: -1, Idempotence: true},
		Limits:      contract.Limits{MaxInFlight: 5},
		Timing:      contract.Timing{DeliveryTimeout: 120000},
	}
}

func connect(c contract.Contract) ([]kgo.Opt, error) {
	return []kgo.Opt{kgo.SeedBrokers(c.Cluster.BootstrapServers...)}, nil
}

func producer(c contract.Contract) (*kgo.Client, error) {
	opts, err := sink.Options(c)
	if err != nil {
		return nil, err
	}
	where, _ := connect(c)
	return kgo.NewClient(append(opts, where...)...)
}

func server(name string, c contract.Contract) (func(net.Listener) error, error) {
	client, err := producer(c)
	if err != nil {
		return nil, err
	}
	handler := bare(client)
	if name == "stdjson" {
		handler = plainJSON(client)
	}
	return (&http.Server{Handler: handler}).Serve, nil
}

// bare is the floor: what any handler must do.
func bare(client *kgo.Client) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		result, err := client.ProduceSync(r.Context(), &kgo.Record{Topic: topic, Value: body}).First()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, `{"partition":%d,"offset":%d}`, result.Partition, result.Offset)
	}
}

// plainJSON is the v2 route as encoding/json makes it.
func plainJSON(client *kgo.Client) http.HandlerFunc {
	type position struct {
		Partition int32 `json:"partition"`
		Offset    int64 `json:"offset"`
	}
	return func(w http.ResponseWriter, r *http.Request) {
		var request struct {
			Records []struct {
				Key   []byte `json:"key"`
				Value []byte `json:"value"`
			} `json:"records"`
		}
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &request)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		records := make([]*kgo.Record, len(request.Records))
		for i, in := range request.Records {
			records[i] = &kgo.Record{Topic: topic, Key: in.Key, Value: in.Value}
		}
		var answer struct {
			Offsets []position `json:"offsets"`
		}
		for _, result := range client.ProduceSync(r.Context(), records...) {
			if result.Err != nil {
				http.Error(w, result.Err.Error(), http.StatusInternalServerError)
				return
			}
			answer.Offsets = append(answer.Offsets, position{result.Record.Partition, result.Record.Offset})
		}
		w.Header().Set("Content-Type", "application/vnd.kafka.v2+json")
		_ = json.NewEncoder(w).Encode(answer)
	}
}
