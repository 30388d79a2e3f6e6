package inject

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"mooring.dev/mooring/internal/contract"
	"mooring.dev/mooring/internal/producer"
)

// rendering is everything that a pod is given, before it meets what the pod has already.
type rendering struct {
	// contract is the annotation; files are the rendered files in order of their names.
	contract string
	files    []producer.File
	// env are the variables of each selected container.
	env map[string][]variable
	// shim is nil where there is none.
	shim    *corev1.Container
	volumes []corev1.Volume
	// credentials says that the selected containers mount the Secret themselves.
	credentials bool
	decisions   []Decision
}

// variable is one variable to inject.
type variable struct {
	corev1.EnvVar
	// client whose rendering it is of: the guarantee's keys of one client go together.
	client  producer.Client
	ifUnset bool
}

// render makes everything that follows from the binding and the facts.
func render(b Binding, f facts) (rendering, *Refusal) {
	t, refusal := transactionOf(b.Config, f, b.Template)
	if refusal != nil {
		return rendering{}, refusal
	}
	var r rendering
	if r.contract, refusal = renderContract(b, f, t); refusal != nil {
		return r, refusal
	}
	app, hasApp := appConfig(b, f)
	if hasApp && app.Security.CAFile != "" && b.CACertificates == "" {
		return r, refuse(ReasonClusterNotFound, "", "KafkaCluster %s: the certificates of spec.tls.caBundleRef are not known; create that Secret, with PEM certificates", b.Config.Cluster)
	}
	if hasApp {
		if refusal := r.renderFiles(b, app, t); refusal != nil {
			return r, refusal
		}
	}
	r.env = make(map[string][]variable, len(f.containers))
	for _, container := range f.containers {
		r.env[container] = envOf(b, app, hasApp, f, t, container, r.files)
	}
	r.credentials = hasApp && app.Security.SecretName != ""
	kafka, http := b.listens()
	if kafka || http {
		r.shim = shimContainer(b, f, t)
	}
	r.volumes = volumesOf(b, r)
	return r, nil
}

// appConfig is the configuration of the application itself; false where it only speaks HTTP to the shim.
func appConfig(b Binding, f facts) (producer.Config, bool) {
	kafka, http := b.listens()
	switch {
	case kafka:
		return b.Config.ThroughShim(loopback(f.ports.Kafka)), true
	case http:
		return producer.Config{}, false
	}
	return b.Config, true
}

func loopback(port int32) string { return fmt.Sprintf("127.0.0.1:%d", port) }

func renderContract(b Binding, f facts, t transaction) (string, *Refusal) {
	c := b.Config.Contract(producer.PodFacts{
		ClusterID: b.ClusterID, CACertificates: b.CACertificates, RegistryCACertificates: b.RegistryCACertificates, SelectedTopics: b.SelectedTopics, TransactionalID: t.contract,
	})
	kafka, http := b.listens()
	c.Listeners = contract.Listeners{}
	if kafka {
		c.Listeners.Kafka = loopback(f.ports.Kafka)
	}
	if http {
		c.Listeners.HTTP = loopback(f.ports.HTTP)
	}
	text, err := contract.Encode(c)
	if err != nil {
		return "", refuse(ReasonContractInvalid, "", "ProducerProfile %s on KafkaCluster %s: %v", b.profile(), b.Config.Cluster, err)
	}
	return string(text), nil
}

func (r *rendering) renderFiles(b Binding, app producer.Config, t transaction) *Refusal {
	config := app
	switch {
	case t.inFiles:
		config = app.WithTransactionalID(t.file)
	case t.env != "":
		config.Values = maps.Clone(app.Values)
		delete(config.Values, propTransactionalID)
		r.decisions = append(r.decisions, Decision{ReasonTransactionalIDByEnv, "", propTransactionalID,
			"admission does not know the pod's own name, index or container here, so no file has transactional.id: read it from the environment"})
	}
	for _, format := range b.injection().Formats {
		out, err := producer.Render(config, producer.ClientOf(format))
		if err != nil {
			return refuse(ReasonProfileInvalid, "", "ProducerProfile %s: spec.injection.formats: %v", b.profile(), err)
		}
		r.files = append(r.files, out.Files...)
	}
	if app.Security.CAFile != "" {
		r.files = append(r.files, producer.File{Name: strings.TrimPrefix(app.Security.CAFile, producer.DirFiles+"/"), Content: b.CACertificates})
	}
	slices.SortStableFunc(r.files, func(a, b producer.File) int { return strings.Compare(a.Name, b.Name) })
	r.files = slices.CompactFunc(r.files, func(a, b producer.File) bool { return a.Name == b.Name })
	return nil
}

// envOf are the variables of one container, those first that others refer to.
func envOf(b Binding, app producer.Config, hasApp bool, f facts, t transaction, container string, files []producer.File) []variable {
	var vars []variable
	for _, field := range []struct{ name, path string }{
		{EnvPodName, "metadata.name"}, {EnvPodOrdinal, "metadata.labels['" + labelPodIndex + "']"},
	} {
		if hasApp && t.needs(field.name) {
			vars = append(vars, variable{EnvVar: fieldVar(field.name, field.path)})
		}
	}
	if _, http := b.listens(); http {
		vars = append(vars, variable{EnvVar: corev1.EnvVar{Name: EnvHTTP, Value: "http://" + loopback(f.ports.HTTP)}})
	}
	if !hasApp {
		return vars
	}
	const mark = "\x00id\x00" // no property can have it
	for _, format := range b.injection().Formats {
		client := producer.ClientOf(format)
		out, err := producer.Render(app.WithTransactionalID(mark), client)
		if err != nil {
			continue // renderFiles has refused it
		}
		refers := references(out.Env)
		for _, e := range out.Env {
			if e.Name == "KAFKA_PRODUCER_CONFIG" && !slices.ContainsFunc(files, func(f producer.File) bool { return "/"+f.Name == strings.TrimPrefix(e.Value, producer.DirFiles) }) {
				continue // the file is of another format, which is not asked for
			}
			if slices.ContainsFunc(vars, func(v variable) bool { return v.Name == e.Name }) {
				continue // two formats share it, and mean the same
			}
			v := variable{EnvVar: corev1.EnvVar{Name: e.Name}, client: client, ifUnset: e.IfUnset}
			if e.SecretKey != "" {
				v.ValueFrom = &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
					LocalObjectReference: corev1.LocalObjectReference{Name: app.Security.SecretName}, Key: e.SecretKey}}
			} else {
				id := producer.FillID(t.env, map[string]string{"container": container})
				v.Value = strings.ReplaceAll(escape(e.Value, refers), mark, id)
			}
			vars = append(vars, v)
		}
	}
	return vars
}

func fieldVar(name, path string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: path}}}
}

// references are the $(NAME) that a rendering means to be filled in: those of its own secrets.
func references(env []producer.EnvVar) []string {
	var refers []string
	for _, e := range env {
		if e.SecretKey != "" {
			refers = append(refers, "$("+e.Name+")")
		}
	}
	return refers
}

// escape makes the kubelet leave every other '$' as it is.
func escape(value string, refers []string) string {
	if !strings.Contains(value, "$") {
		return value
	}
	value = strings.ReplaceAll(value, "$", "$$")
	for _, r := range refers {
		value = strings.ReplaceAll(value, "$"+r, r)
	}
	return value
}

// spec is a hash of what only a restart can change. The shim's image is not in it, nor how the kubelet looks after it: a new
// release of the operator is no reason to restart a fleet.
func (r rendering) spec() string {
	parts := struct {
		Files       []string
		Env         map[string][]corev1.EnvVar
		Shim        *corev1.Container
		Volumes     []corev1.Volume
		Credentials bool
	}{Env: make(map[string][]corev1.EnvVar), Volumes: r.volumes, Credentials: r.credentials}
	for _, f := range r.files {
		parts.Files = append(parts.Files, f.Name)
	}
	for container, vars := range r.env {
		for _, v := range vars {
			parts.Env[container] = append(parts.Env[container], v.EnvVar)
		}
	}
	if r.shim != nil {
		shim := *r.shim
		shim.Image, shim.ImagePullPolicy = "", ""
		shim.Lifecycle, shim.LivenessProbe, shim.StartupProbe = nil, nil, nil
		shim.Resources = corev1.ResourceRequirements{} // they depend on the pod's other containers
		parts.Shim = &shim
	}
	text, err := json.Marshal(parts)
	if err != nil {
		text = fmt.Append(nil, parts)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
