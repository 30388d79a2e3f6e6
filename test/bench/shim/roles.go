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
	case "relay":
		var at []string
		for address := range strings.SplitSeq(args[0], ",") {
			l, err := relay(address)
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

// relay copies bytes to an address and back; in the kernel, where that is possible (io.Copy splices).
func relay(address string) (net.Listener, error) {
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
			go pass(client, address)
		}
	}()
	return l, nil
}

func pass(client net.Conn, address string) {
	defer client.Close()
	broker, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer broker.Close()
	var both sync.WaitGroup
	one := func(to, from net.Conn) {
		io.Copy(to, from) //nolint:errcheck // the connection ends
		to.Close()
		from.Close()
	}
	both.Go(func() { one(broker, client) })
	both.Go(func() { one(client, broker) })
	both.Wait()
}
