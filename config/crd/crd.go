// Package crd holds the CustomResourceDefinitions, for programs that judge manifests without an API server.
package crd

import "embed"

// Bases are the files that controller-gen writes, in the folder bases.
//
//go:embed bases/*.yaml
var Bases embed.FS
