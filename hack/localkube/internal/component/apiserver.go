package component

import (
	"net/netip"
	"strconv"
)

var apiServerService = Service{
	Args:       apiServerArgs,
	URL:        Layout.APIServerURL,
	HealthPath: "/readyz",
	Trust:      adminTrust,
}

func adminTrust(l Layout) Trust {
	return Trust{CA: l.Cert(CertCA), Cert: l.Cert(UserAdmin), Key: l.Key(UserAdmin)}
}

func apiServerArgs(l Layout) []string {
	args := []string{
		"--etcd-servers=" + etcdService.URL(l),
		"--etcd-cafile=" + l.Cert(CertEtcdCA),
		"--etcd-certfile=" + l.Cert(CertEtcdClient),
		"--etcd-keyfile=" + l.Key(CertEtcdClient),

		"--bind-address=" + l.BindAddress,
		"--advertise-address=" + l.AdvertiseAddress,
		"--secure-port=" + strconv.Itoa(l.Ports.APIServer),
		"--tls-cert-file=" + l.Cert(CertAPIServer),
		"--tls-private-key-file=" + l.Key(CertAPIServer),
		// Unused with the files above, but its default is outside of our folder.
		"--cert-dir=" + l.Path("pki"),

		"--client-ca-file=" + l.Cert(CertCA),
		"--authorization-mode=Node,RBAC",
		"--enable-admission-plugins=NodeRestriction",
		"--allow-privileged=true",
		"--profiling=false",
		// Without it, SIGTERM waits a minute for watches to end, which they never do
		// by themselves: an informer anywhere keeps the API server from stopping.
		"--shutdown-watch-termination-grace-period=1s",

		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + l.Path("pki", FileServiceAccountPublic),
		"--service-account-signing-key-file=" + l.Path("pki", FileServiceAccountPrivate),
		"--service-cluster-ip-range=" + l.ServiceClusterIPRange,

		"--requestheader-client-ca-file=" + l.Cert(CertFrontProxyCA),
		"--requestheader-allowed-names=" + CertFrontProxyClient,
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + l.Cert(CertFrontProxyClient),
		"--proxy-client-key-file=" + l.Key(CertFrontProxyClient),
		"--kubelet-client-certificate=" + l.Cert(CertKubeletClient),
		"--kubelet-client-key=" + l.Key(CertKubeletClient),
		"--kubelet-preferred-address-types=InternalIP,Hostname",
	}
	if l.Node == nil {
		// No kube-proxy runs here, so a webhook's or an aggregated API's Service has
		// to be called at its endpoints, not at its cluster IP.
		args = append(args, "--enable-aggregator-routing=true")
	} else {
		args = append(args, "--kubelet-certificate-authority="+l.Cert(CertCA))
	}
	if address, err := netip.ParseAddr(l.AdvertiseAddress); err == nil && address.IsLoopback() {
		// An endpoint may not be a loopback address: the reconciler would fail, and
		// log it, every ten seconds.
		args = append(args, "--endpoint-reconciler-type=none")
	}
	return args
}
