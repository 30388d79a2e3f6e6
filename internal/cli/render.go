package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"mooring.dev/mooring/api/v1alpha1"
	"mooring.dev/mooring/internal/cli/manifest"
	"mooring.dev/mooring/internal/producer"
)

// renderOptions are the flags of render.
type renderOptions struct {
	Files     []string
	Recursive bool
	Client    string
	Cluster   []string
	Out       string
	Namespace string
}

func (a App) renderCommand() *cobra.Command {
	var o renderOptions
	cmd := &cobra.Command{
		Use:   "render -f FILE|DIR|- [--client NAME|all] [--out DIR]",
		Short: "Show what a client is given by a ProducerProfile",
		Long: `Show what a client is given by a ProducerProfile: files and environment variables in the client's own names and spellings.

The profiles in the files are judged first, as "lint" judges them; what has errors is not rendered. The KafkaCluster that a
profile refers to is looked for in the files, and in those of --cluster. Without it, addresses and security are left out.

Files are what a pod has below ` + producer.DirFiles + `. No secret is in them.`,
		Example: `  # everything that a pod may be given
  kubectl mooring render -f config/samples

  # what the Java client gets, into files
  kubectl mooring render -f profile.yaml --cluster cluster.yaml --client java --out rendered/`,
		Args: byFlag,
		RunE: func(*cobra.Command, []string) error { return a.runRender(&o) },
	}
	flags := cmd.Flags()
	flags.StringSliceVarP(&o.Files, "filename", "f", nil, "file or folder with ProducerProfiles, YAML or JSON; - is standard input; can be given several times")
	flags.BoolVarP(&o.Recursive, "recursive", "R", false, "look in the folders below too")
	flags.StringVar(&o.Client, "client", "all", "all, or one of "+strings.Join(clientNames(), ", "))
	flags.StringSliceVar(&o.Cluster, "cluster", nil, "file or folder with the KafkaCluster, where it is not in --filename")
	flags.StringVar(&o.Out, "out", "", "folder to write to, as NAMESPACE/PROFILE/CLIENT/..., instead of standard output")
	flags.StringVarP(&o.Namespace, "namespace", "n", "default", "namespace of manifests that name none")
	return cmd
}

func clientNames() []string {
	var names []string
	for _, c := range producer.Clients() {
		names = append(names, string(c))
	}
	return names
}

// clientsOf are the clients that a flag names.
func clientsOf(name string) ([]producer.Client, error) {
	names := clientNames()
	switch {
	case name == "all":
		return producer.Clients(), nil
	case slices.Contains(names, name):
		return []producer.Client{producer.Client(name)}, nil
	}
	hint := ""
	if near := nearestClient(name); near != "" {
		hint = "; did you mean " + near + "?"
	}
	return nil, fmt.Errorf("--client %s: there is no such client%s (there are all, %s)", name, hint, strings.Join(names, ", "))
}

func (a App) runRender(o *renderOptions) error {
	if len(o.Files) == 0 {
		return errors.New("which profiles? name them with -f FILE, -f DIR or -f - for standard input")
	}
	clients, err := clientsOf(o.Client)
	if err != nil {
		return err
	}
	inputs, err := a.readInputs("render", append(slices.Clone(o.Files), o.Cluster...), o.Recursive)
	if err != nil {
		return err
	}
	result, err := lintInputs(inputs, o.Namespace)
	if err != nil {
		return err
	}
	if result.Count(producer.Error) > 0 {
		fmt.Fprint(a.Err, result.Text())
		return exitStatus(1)
	}
	profiles, err := readProfiles(inputs, o.Namespace)
	if err != nil {
		return err
	}
	if len(profiles) == 0 {
		return errors.New("no ProducerProfile is in these files")
	}
	for _, c := range profiles {
		if !c.Known {
			a.note("ProducerProfile %s/%s: KafkaCluster %s is not in these files: addresses and security are left out; name its file with --cluster", c.Namespace, c.Name, c.Cluster)
		}
		if err := a.render(o, c, clients); err != nil {
			return err
		}
	}
	return nil
}

// readProfiles resolves the profiles that were read against the clusters that were.
func readProfiles(inputs []input, namespace string) ([]producer.Config, error) {
	reader, err := manifest.NewReader()
	if err != nil {
		return nil, err
	}
	clusters := make(map[string]*v1alpha1.KafkaCluster)
	var found []*v1alpha1.ProducerProfile
	for _, in := range inputs {
		for _, o := range reader.Read(in.name, in.data, namespace) {
			var err error
			switch o.GVK {
			case v1alpha1.GroupVersion.WithKind(manifest.KindCluster):
				k := &v1alpha1.KafkaCluster{}
				err = o.Decode(k)
				clusters[k.Name] = k
			case v1alpha1.GroupVersion.WithKind(manifest.KindProfile):
				p := &v1alpha1.ProducerProfile{}
				err = o.Decode(p)
				found = append(found, p)
			}
			if err != nil {
				return nil, fmt.Errorf("%s: %s: %w", o.Source, o.String(), err)
			}
		}
	}
	var configs []producer.Config
	for _, p := range found {
		configs = append(configs, producer.Resolve(p, clusters[p.Spec.ClusterRef.Name], p.Namespace))
	}
	return configs, nil
}

// render prints or writes one profile for the clients.
func (a App) render(o *renderOptions, config producer.Config, clients []producer.Client) error {
	if o.Out == "" {
		fmt.Fprintf(a.Out, "# ProducerProfile %s/%s\n\n", config.Namespace, config.Name)
	}
	for _, client := range clients {
		r, err := producer.Render(config, client)
		if err != nil {
			return err
		}
		if o.Out == "" {
			if _, err := fmt.Fprint(a.Out, rendered(r)); err != nil {
				return err
			}
			continue
		}
		dir := filepath.Join(o.Out, config.Namespace, config.Name, string(client))
		if err := a.writeRendering(dir, r); err != nil {
			return err
		}
	}
	return nil
}

// writeRendering writes the files as a pod has them, and what else the pod is given as "env" and "notes".
func (a App) writeRendering(dir string, r producer.Rendering) error {
	write := func(name, content string) error {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return plainPathError(err)
		}
		fmt.Fprintln(a.Out, path)
		return plainPathError(os.WriteFile(path, []byte(content), 0o644))
	}
	for _, f := range r.Files {
		if err := write(f.Name, f.Content); err != nil {
			return err
		}
	}
	if text := envText(r.Env); text != "" {
		if err := write("env", text); err != nil {
			return err
		}
	}
	if len(r.Notes) > 0 {
		return write("notes", strings.Join(r.Notes, "\n")+"\n")
	}
	return nil
}
