// Package arch holds the rules of docs/architecture.md as tests: who may import whom, and what pure code does without.
package arch
