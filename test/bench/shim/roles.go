package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"
)

// role is the inside of a child process: it says its addresses when it is ready, and ends with its standard input.
func role(name string, args []string) error {
	switch name {
	case "brokers":
		cluster, err := kfake.NewCluster(kfake.NumBrokers(3), kfake.SeedTopics(partitions, topic), kfake.BlackholeProduce())
		if err != nil {
			return err
		}
		defer cluster.Close()
		fmt.Println(strings.Join(cluster.ListenAddrs(), ","))
	case "relay", "copier":
		var at []string
		for address := range strings.SplitSeq(args[0], ",") {
			l, err := relay(address, map[string]copying{"relay": inKernel, "copier": inProcess}[name])
			if err != nil {
				return err
			}
			at = append(at, l.Addr().String())
		}
		fmt.Println(strings.Join(at, ","))
	default:
		return fmt.Errorf("there is no role %q", name)
	}
	_, err := io.Copy(io.Discard, os.Stdin)
	return err
}

// copying copies bytes from one connection to another until one ends.
type copying func(to, from net.Conn)

// inKernel is how io.Copy does it between two TCP connections: splice(2), so that the bytes never come to this process.
func inKernel(to, from net.Conn) { io.Copy(to, from) } //nolint:errcheck // the connection ends

// inProcess reads and writes, with a buffer as large as the shim's: what a program has to do that looks at the bytes, and nothing
// else.
func inProcess(to, from net.Conn) {
	io.CopyBuffer(struct{ io.Writer }{to}, struct{ io.Reader }{from}, make([]byte, 64<<10)) //nolint:errcheck // the connection ends
}

// relay copies bytes to an address and back.
func relay(address string, one copying) (net.Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go pass(client, address, one)
		}
	}()
	return l, nil
}

func pass(client net.Conn, address string, one copying) {
	defer client.Close()
	broker, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer broker.Close()
	var both sync.WaitGroup
	end := func(to, from net.Conn) {
		one(to, from)
		to.Close()
		from.Close()
	}
	both.Go(func() { end(broker, client) })
	both.Go(func() { end(client, broker) })
	both.Wait()
}
