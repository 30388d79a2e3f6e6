package component

import (
	"net"

	"mooring.dev/mooring/hack/localkube/internal/pki"
)

// The names of the certificates, which are also their file names under pki/.
const (
	CertCA               = "ca"
	CertEtcdCA           = "etcd-ca"
	CertFrontProxyCA     = "front-proxy-ca"
	CertEtcdServer       = "etcd-server"
	CertEtcdClient       = "etcd-client"
	CertAPIServer        = "apiserver"
	CertLoopbackServer   = "loopback-server"
	CertFrontProxyClient = "front-proxy-client"
	CertKubeletClient    = "apiserver-kubelet-client"
	CertKubeletServer    = "kubelet-server"
)

// The users that have a certificate and a kubeconfig, also file names.
const (
	UserAdmin             = "admin"
	UserControllerManager = "kube-controller-manager"
	UserScheduler         = "kube-scheduler"
	UserKubelet           = "kubelet"
	UserKubeProxy         = "kube-proxy"
	UserDNS               = "dns"
)

// The two halves of the key that service account tokens are signed with.
const (
	FileServiceAccountPublic  = "service-account.pub"
	FileServiceAccountPrivate = "service-account.key"
)

// groupMasters is the group that the API server lets do everything.
const groupMasters = "system:masters"

// Credential is one certificate that a control plane needs.
type Credential struct {
	// Name is its file name under pki/.
	Name string
	// Authority is the name of the certificate that signs it.
	Authority string
	// Request is what is signed.
	Request pki.Request
}

// Authorities are the names of the certificates that sign others. They are
// apart so that what one trusts says nothing about the others: the front proxy's
// authority may name any user, and etcd's is above all rules.
func Authorities() []string { return []string{CertCA, CertEtcdCA, CertFrontProxyCA} }

// Users are the names of the credentials that have a kubeconfig.
func Users(l Layout) []string {
	users := []string{UserAdmin, UserControllerManager, UserScheduler}
	if l.Node != nil {
		users = append(users, UserKubelet, UserKubeProxy, UserDNS)
	}
	return users
}

// Credentials are the certificates of a control plane with that layout.
func Credentials(l Layout) []Credential {
	local := []net.IP{net.ParseIP(loopback)}
	dnsNames, addresses := l.APIServerNames()
	client := func(commonName string, groups ...string) pki.Request {
		return pki.Request{CommonName: commonName, Organizations: groups, Client: true}
	}
	credentials := []Credential{
		// Peers of etcd are servers and clients at once.
		{CertEtcdServer, CertEtcdCA, pki.Request{CommonName: "etcd", DNSNames: []string{"localhost"}, IPs: local, Server: true, Client: true}},
		{CertEtcdClient, CertEtcdCA, client("kube-apiserver")},
		{CertAPIServer, CertCA, pki.Request{CommonName: "kube-apiserver", DNSNames: dnsNames, IPs: addresses, Server: true}},
		{CertLoopbackServer, CertCA, pki.Request{CommonName: "localhost", DNSNames: []string{"localhost"}, IPs: local, Server: true}},
		{CertFrontProxyClient, CertFrontProxyCA, client(CertFrontProxyClient)},
		{CertKubeletClient, CertCA, client("kube-apiserver-kubelet-client", groupMasters)},
		{UserAdmin, CertCA, client("admin", groupMasters)},
		{UserControllerManager, CertCA, client("system:kube-controller-manager")},
		{UserScheduler, CertCA, client("system:kube-scheduler")},
	}
	if l.Node == nil {
		return credentials
	}
	return append(credentials,
		Credential{CertKubeletServer, CertCA, pki.Request{CommonName: NodeName, DNSNames: []string{NodeName}, IPs: []net.IP{l.Node.Address().AsSlice()}, Server: true}},
		// The name and the group that the Node authorizer knows kubelets by.
		Credential{UserKubelet, CertCA, client("system:node:"+NodeName, "system:nodes")},
		// RBAC's own roles know this one.
		Credential{UserKubeProxy, CertCA, client("system:kube-proxy")},
		Credential{UserDNS, CertCA, client(DNSUser)},
	)
}
