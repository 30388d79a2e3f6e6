package inject

import (
	"strings"

	"mooring.dev/mooring/internal/producer"
)

const propTransactionalID = "transactional.id"

// transaction is how a pod's producers come by their transactional.id.
type transaction struct {
	// inFiles says that the files can hold it; then file is it.
	inFiles bool
	file    string
	// env is it as the value of a variable, with $(NAME) for what the kubelet fills in; {container} is still in it.
	env string
	// contract is it as the shim reads it: the shim fills in the rest.
	contract string
}

// transactionOf fills in spec.transactions.idTemplate. The zero value is for a profile without one.
func transactionOf(c producer.Config, f facts, template bool) (transaction, *Refusal) {
	text, ok := c.Get(propTransactionalID)
	if !ok {
		return transaction{}, nil
	}
	filled := producer.FillID(text, f.ids())
	if strings.Contains(filled, "{workload}") {
		return transaction{}, refuse(ReasonTransactionalID, "metadata.ownerReferences",
			"spec.transactions.idTemplate of ProducerProfile %s/%s asks for {workload}, and this pod has neither an owner nor a name; name the pod", c.Namespace, c.Name)
	}
	if strings.Contains(filled, "{ordinal}") && !template {
		return transaction{}, refuse(ReasonTransactionalID, "metadata.labels["+labelPodIndex+"]",
			"spec.transactions.idTemplate of ProducerProfile %s/%s asks for {ordinal}, and this pod has no index: only pods of StatefulSets and indexed Jobs have one; use {pod}, or a StatefulSet", c.Namespace, c.Name)
	}
	t := transaction{contract: producer.FillID(filled, map[string]string{"container": ContainerShim})}
	t.env = strings.NewReplacer("{pod}", "$("+EnvPodName+")", "{ordinal}", "$("+EnvPodOrdinal+")").Replace(strings.ReplaceAll(filled, "$", "$$"))
	t.file = filled
	if len(f.containers) == 1 {
		t.file = producer.FillID(filled, map[string]string{"container": f.containers[0]})
	}
	t.inFiles = !strings.ContainsAny(t.file, "{}")
	return t, nil
}

// needs are the variables that t.env refers to.
func (t transaction) needs(name string) bool { return strings.Contains(t.env, "$("+name+")") }
