package producer

import (
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/contract"
)

// Whatever a manifest holds, nothing panics, and what has no error makes a contract that the shim takes and settings that
// every client starts with.
func FuzzProfile(f *testing.F) {
	for _, name := range []string{"plain.yaml", "everything.yaml"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("spec: {guarantee: AtMostOnce, delivery: {acks: '0'}, batching: {batchSize: 1e3}, properties: {a: b}}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var p v1alpha1.ProducerProfile
		if yaml.Unmarshal(data, &p) != nil {
			return
		}
		c := Resolve(&p, testCluster(), p.Namespace)
		valid := !HasErrors(Validate(c))
		for _, client := range Clients() {
			if _, err := Render(c, client); err != nil {
				t.Fatal(err)
			}
			if settings := Settings(c, client); valid && settings != nil {
				if v := Judge(client, settings); v.Outcome != Accepted {
					t.Errorf("%s: %s %v", client, v.Outcome, v.Findings)
				}
			}
		}
		carried := c.Contract(PodFacts{TransactionalID: "id"})
		if _, err := contract.Encode(carried); err != nil && valid && p.Name != "" {
			t.Errorf("a valid profile makes a contract that is none: %v", err)
		}
	})
}
