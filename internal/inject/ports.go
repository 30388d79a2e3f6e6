package inject

import (
	"fmt"
	"hash/fnv"

	corev1 "k8s.io/api/core/v1"
)

// Ports of the shim where nothing stands against them.
const (
	PortKafka  = 9092
	PortHTTP   = 8082
	PortStatus = 9099
)

// hostPorts is where the ports of pods with hostNetwork are: below those that Linux gives to clients and below NodePorts.
const (
	hostPortsFirst = 20000
	hostPortsCount = 9000
)

// choosePorts finds ports that no container of the pod declares. A pod that has ports keeps them: an application may have
// read them already. With hostNetwork all pods of a node share their addresses, so the ports differ by the seed, and are
// declared, so that the scheduler keeps two pods with the same ones apart.
func choosePorts(pod *corev1.Pod, b Binding, before Ports) (Ports, []Decision) {
	kafka, http := b.listens()
	taken := declaredPorts(pod)
	var decisions []Decision
	choose := func(name string, wanted bool, usual, had int32) int32 {
		if !wanted {
			return 0
		}
		port := usual
		why := "another container of the pod declares the usual one"
		if pod.Spec.HostNetwork {
			port, why = hostPort(b.Seed, name), "the pod is in the node's network"
		}
		if had > 0 && had <= 65535 && (pod.Spec.HostNetwork || had == usual) {
			port = had
		}
		for range 65535 { // there are fewer declared ports than that
			if !taken[port] {
				break
			}
			port = port%65535 + 1
		}
		taken[port] = true
		if port != usual {
			decisions = append(decisions, Decision{ReasonPortMoved, ContainerShim, name, fmt.Sprintf("port %d instead of %d: %s", port, usual, why)})
		}
		return port
	}
	ports := Ports{
		Kafka:  choose("kafka", kafka, PortKafka, before.Kafka),
		HTTP:   choose("http", http, PortHTTP, before.HTTP),
		Status: choose("status", kafka || http, PortStatus, before.Status),
	}
	return ports, decisions
}

func declaredPorts(pod *corev1.Pod) map[int32]bool {
	taken := make(map[int32]bool)
	eachContainer(pod, func(c *corev1.Container) {
		for _, p := range c.Ports {
			taken[p.ContainerPort] = true
			taken[p.HostPort] = true
		}
	})
	return taken
}

func hostPort(seed, name string) int32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(seed + "/" + name)) // a hash takes everything
	return int32(hostPortsFirst + h.Sum32()%hostPortsCount)
}
