package component

import "strconv"

var controllerManagerService = Service{
	Args:       controllerManagerArgs,
	URL:        func(l Layout) string { return httpsURL(loopback, l.Ports.ControllerManager) },
	HealthPath: "/healthz",
	Trust:      adminTrust,
}

func controllerManagerArgs(l Layout) []string {
	return append(servingArgs(l, UserControllerManager, strconv.Itoa(l.Ports.ControllerManager)),
		// Each controller has a service account with only its own rights, as in a
		// cluster that people run.
		"--use-service-account-credentials=true",
		// The default of 20 requests a second is meant to spare a shared API server.
		// Here it would only delay the start: each controller asks for its account.
		"--kube-api-qps=200",
		"--kube-api-burst=400",
		"--cluster-signing-cert-file="+l.Cert(CertCA),
		"--cluster-signing-key-file="+l.Key(CertCA),
		"--root-ca-file="+l.Cert(CertCA),
		"--service-account-private-key-file="+l.Path("pki", FileServiceAccountPrivate),
	)
}

var schedulerService = Service{
	Args:       schedulerArgs,
	URL:        func(l Layout) string { return httpsURL(loopback, l.Ports.Scheduler) },
	HealthPath: "/readyz",
	Trust:      adminTrust,
}

func schedulerArgs(l Layout) []string {
	return servingArgs(l, UserScheduler, strconv.Itoa(l.Ports.Scheduler))
}

// servingArgs are the flags that the controller manager and the scheduler share.
func servingArgs(l Layout, user, port string) []string {
	return []string{
		"--kubeconfig=" + l.Kubeconfig(user),
		"--authentication-kubeconfig=" + l.Kubeconfig(user),
		"--authorization-kubeconfig=" + l.Kubeconfig(user),
		"--bind-address=" + loopback,
		"--secure-port=" + port,
		"--tls-cert-file=" + l.Cert(CertLoopbackServer),
		"--tls-private-key-file=" + l.Key(CertLoopbackServer),
		"--client-ca-file=" + l.Cert(CertCA),
		"--requestheader-client-ca-file=" + l.Cert(CertFrontProxyCA),
		// There is one of each, and one that is started again after a kill must not
		// first wait for the lease of the killed one to run out.
		"--leader-elect=false",
		"--profiling=false",
	}
}
