package cluster

import (
	"encoding/base64"
	"fmt"
	"os"
	"time"

	"mooring.dev/mooring/hack/localkube/internal/component"
	"mooring.dev/mooring/hack/localkube/internal/pki"
)

// writeCredentials writes all keys, certificates and kubeconfigs. Authorities and
// the service account key that are there already stay: kept data holds tokens and
// certificates that they signed. All other certificates are made anew, because
// addresses change and certificates grow old.
func writeCredentials(l component.Layout, now time.Time) error {
	if err := os.MkdirAll(l.Path("pki"), 0o700); err != nil {
		return fmt.Errorf("cannot make the folder for keys: %w; choose a --dir that you may write to", err)
	}
	authorities := map[string]*pki.Authority{}
	for _, name := range component.Authorities() {
		authority, err := keepAuthority(l, name, now)
		if err != nil {
			return err
		}
		authorities[name] = authority
	}
	if err := keepSigningKey(l); err != nil {
		return err
	}
	for _, c := range component.Credentials(l) {
		pair, err := authorities[c.Authority].Issue(c.Request, now)
		if err != nil {
			return err
		}
		if err := writePair(l.Cert(c.Name), l.Key(c.Name), pair); err != nil {
			return err
		}
	}
	for _, user := range component.Users(l) {
		if err := writeKubeconfig(l, user); err != nil {
			return err
		}
	}
	return nil
}

func keepAuthority(l component.Layout, name string, now time.Time) (*pki.Authority, error) {
	if pair, err := readPair(l.Cert(name), l.Key(name)); err == nil {
		authority, err := pki.ParseAuthority(pair)
		if err != nil {
			return nil, fmt.Errorf("cannot use the kept authority %s: %w; run down to remove the kept data", l.Cert(name), err)
		}
		return authority, nil
	}
	authority, err := pki.NewAuthority("localkube-"+name, now)
	if err != nil {
		return nil, err
	}
	return authority, writePair(l.Cert(name), l.Key(name), authority.PEM())
}

func keepSigningKey(l component.Layout) error {
	public, private := l.Path("pki", component.FileServiceAccountPublic), l.Path("pki", component.FileServiceAccountPrivate)
	if _, err := readPair(public, private); err == nil {
		return nil
	}
	pair, err := pki.NewSigningKey()
	if err != nil {
		return err
	}
	return writePair(public, private, pair)
}

func readPair(cert, key string) (pair pki.Pair, err error) {
	if pair.Cert, err = os.ReadFile(cert); err != nil {
		return pair, err
	}
	pair.Key, err = os.ReadFile(key)
	return pair, err
}

func writePair(cert, key string, pair pki.Pair) error {
	if err := writeFile(cert, pair.Cert); err != nil {
		return err
	}
	return writeFile(key, pair.Key)
}

// writeKubeconfig writes the file with which user signs in by certificate. Keys
// and certificates are in it, so that a copy of the file is enough.
func writeKubeconfig(l component.Layout, user string) error {
	ca, err := os.ReadFile(l.Cert(component.CertCA))
	if err != nil {
		return fmt.Errorf("cannot read the authority for the kubeconfig: %w; run down, then up", err)
	}
	pair, err := readPair(l.Cert(user), l.Key(user))
	if err != nil {
		return fmt.Errorf("cannot read the certificate for the kubeconfig: %w; run down, then up", err)
	}
	return writeFile(l.Kubeconfig(user), renderKubeconfig(l.APIServerURL(), user, ca, pair))
}

const kubeconfigFormat = `apiVersion: v1
kind: Config
clusters:
- name: localkube
  cluster:
    server: %s
    certificate-authority-data: %s
users:
- name: %s
  user:
    client-certificate-data: %s
    client-key-data: %s
contexts:
- name: localkube
  context:
    cluster: localkube
    user: %s
current-context: localkube
`

func renderKubeconfig(server, user string, ca []byte, pair pki.Pair) []byte {
	data := base64.StdEncoding.EncodeToString
	return fmt.Appendf(nil, kubeconfigFormat, server, data(ca), user, data(pair.Cert), data(pair.Key), user)
}
