// Package controllers reconciles KafkaClusters, KafkaTopics and ProducerProfiles. A reconcile is observe, plan, apply,
// status, outcome; what is decided is decided in the pure packages, and what it costs is one status write per change.
package controllers
