package gateway

import (
	"strings"
	"testing"

	"mooring.dev/mooring/internal/contract"
)

func TestFillTransactionalID(t *testing.T) {
	env := map[string]string{"MOORING_POD_NAME": "orders-7", "MOORING_POD_ORDINAL": "7"}
	getenv := func(name string) string { return env[name] }
	c := contract.Contract{Transactions: &contract.Transactions{ID: "shop-{pod}-{ordinal}"}}
	got, err := FillTransactionalID(c, getenv)
	if err != nil || got.Transactions.ID != "shop-orders-7-7" {
		t.Errorf("%v %v", got.Transactions, err)
	}
	if c.Transactions.ID != "shop-{pod}-{ordinal}" {
		t.Error("the contract that was given is changed")
	}
	delete(env, "MOORING_POD_ORDINAL")
	if _, err := FillTransactionalID(c, getenv); err == nil || !strings.Contains(err.Error(), "MOORING_POD_ORDINAL") {
		t.Errorf("error %v", err)
	}
	if got, err := FillTransactionalID(contract.Contract{}, getenv); err != nil || got.Transactions != nil {
		t.Errorf("%v %v", got, err)
	}
}
