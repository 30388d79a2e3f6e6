package main

import (
	"flag"
	"os"

	"mooring.dev/mooring/internal/contract"
)

// registryFlags are those of the schema registry, where there is no contract.
type registryFlags struct{ url, ca, credentials string }

func (r *registryFlags) define(f *flag.FlagSet) {
	f.StringVar(&r.url, "schema-registry", "", "without --contract: `URL` of the schema registry that the HTTP listener encodes by")
	f.StringVar(&r.ca, "schema-registry-ca", "", "without --contract: `file` with the CA certificates to trust of it (default the system's)")
	f.StringVar(&r.credentials, "schema-registry-credentials", "", "without --contract: `folder` with the files schemaRegistryUsername and schemaRegistryPassword")
}

// settings of a contract; nil without a URL.
func (r registryFlags) settings() (*contract.SchemaRegistry, error) {
	if r.url == "" {
		return nil, nil
	}
	s := &contract.SchemaRegistry{URL: r.url, CredentialsDir: r.credentials}
	if r.ca != "" {
		pem, err := os.ReadFile(r.ca)
		if err != nil {
			return nil, err
		}
		s.CACertificates = string(pem)
	}
	return s, nil
}
