package component

var etcdService = Service{
	Args:       etcdArgs,
	URL:        func(l Layout) string { return httpsURL(loopback, l.Ports.EtcdClient) },
	HealthPath: "/health",
	Trust: func(l Layout) Trust {
		return Trust{CA: l.Cert(CertEtcdCA), Cert: l.Cert(CertEtcdClient), Key: l.Key(CertEtcdClient)}
	},
}

// etcdArgs asks clients and peers for a certificate, loopback or not: whoever
// writes to etcd is above every rule that the API server enforces.
func etcdArgs(l Layout) []string {
	const name = "localkube"
	client, peer := httpsURL(loopback, l.Ports.EtcdClient), httpsURL(loopback, l.Ports.EtcdPeer)
	return []string{
		"--name=" + name,
		"--data-dir=" + l.Path("etcd"),
		"--listen-client-urls=" + client,
		"--advertise-client-urls=" + client,
		"--listen-peer-urls=" + peer,
		"--initial-advertise-peer-urls=" + peer,
		"--initial-cluster=" + name + "=" + peer,
		"--cert-file=" + l.Cert(CertEtcdServer),
		"--key-file=" + l.Key(CertEtcdServer),
		"--client-cert-auth",
		"--trusted-ca-file=" + l.Cert(CertEtcdCA),
		"--peer-cert-file=" + l.Cert(CertEtcdServer),
		"--peer-key-file=" + l.Key(CertEtcdServer),
		"--peer-client-cert-auth",
		"--peer-trusted-ca-file=" + l.Cert(CertEtcdCA),
		// A test cluster outlives a killed process, which this allows, but need
		// not outlive the machine, which it might not.
		"--unsafe-no-fsync",
	}
}
