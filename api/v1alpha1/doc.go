// Package v1alpha1 holds Mooring's API, group kafka.mooring.dev: KafkaCluster, KafkaTopic and ProducerProfile.
//
// It depends on apimachinery alone, so that a command line or another operator can use the types without
// linking a Kubernetes client.
//
// +kubebuilder:object:generate=true
// +kubebuilder:ac:generate=true
// +kubebuilder:ac:output:package=applyconfiguration
// +groupName=kafka.mooring.dev
package v1alpha1
