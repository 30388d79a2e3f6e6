package image

import (
	"bytes"
	"encoding/pem"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// rootsPEM is Mozilla's list of root certificates as the Go project keeps it, at the version in go.mod: the same on every
// machine. Roots that Mozilla trusts with conditions alone are left out, because a file of certificates cannot state them.
func rootsPEM() ([]byte, error) {
	var buffer bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint != nil {
			continue
		}
		if err := pem.Encode(&buffer, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}); err != nil {
			return nil, err
		}
	}
	return buffer.Bytes(), nil
}
