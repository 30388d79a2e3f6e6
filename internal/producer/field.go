package producer

import "slices"

// FieldOf is where a property is set: a field of a ProducerProfile, or what the KafkaCluster and the credentials say. It is for
// people to read; "" for a name that is no property.
func FieldOf(property string) string {
	switch _, known := PropertyOf(property); {
	case !known:
		return ""
	case property == propBootstrap:
		return "KafkaCluster spec.bootstrapServers"
	case property == propPartitioner:
		return "spec.partitioner, or " + propertyField(property)
	case property == propClientID:
		return propertyField(property) + ", or spec.quota.clientID"
	case slices.Contains(secrets, property):
		return "the Secret of spec.credentials"
	case slices.Contains(ofCluster, property):
		return "KafkaCluster spec.tls and spec.credentials"
	}
	return fieldOf(property)
}
