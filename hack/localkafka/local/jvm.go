package local

import (
	"path/filepath"
)

// JVM is a Java and the class path to run Apache Kafka's programs with.
type jvm struct {
	java string
	jars string
	log4 string // log4j2.xml, or "" for none
}

// quickOptions are for programs that live for seconds, most of which is the JVM's start.
var quickOptions = []string{"-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"}

// brokerOptions keep a broker small: the serial collector has no threads of its own to fight over few cores.
func brokerOptions(s Settings) []string {
	opts := []string{"-Xmx" + s.Heap, "-XX:+UseSerialGC", "-XX:-UsePerfData", "-XX:+ExitOnOutOfMemoryError"}
	if s.FastJVM {
		opts = append(opts, "-XX:TieredStopAtLevel=1")
	}
	return append(opts, s.JVMOptions...)
}

// Args is the command line after "java".
func (j jvm) Args(options []string, class string, args ...string) []string {
	all := append([]string{}, options...)
	all = append(all, "-Djava.awt.headless=true")
	if j.log4 != "" {
		all = append(all, "-Dlog4j2.configurationFile="+j.log4)
	}
	all = append(all, "-cp", filepath.Join(j.jars, "*"), class)
	return append(all, args...)
}
