// What istioctl makes of overlays: objects with patches on standard input, and each as it is afterwards, or what is
// complained about, on standard output. Its own command renders a whole mesh for that.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	yaml2 "gopkg.in/yaml.v2"
	"sigs.k8s.io/yaml"

	"istio.io/istio/operator/pkg/apis"
	"istio.io/istio/operator/pkg/tpath"
	"istio.io/istio/operator/pkg/util"
)

type input struct {
	Object  json.RawMessage `json:"object"`
	Patches []apis.Patch    `json:"patches"`
}

type output struct {
	Object json.RawMessage `json:"object,omitempty"`
	Error  string          `json:"error,omitempty"`
}

func main() {
	var inputs []input
	if err := json.NewDecoder(os.Stdin).Decode(&inputs); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	outputs := make([]output, 0, len(inputs))
	for _, in := range inputs {
		object, err := patched(in)
		if err != nil {
			outputs = append(outputs, output{Error: err.Error()})
			continue
		}
		outputs = append(outputs, output{Object: object})
	}
	if err := json.NewEncoder(os.Stdout).Encode(outputs); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// patched walks trees of the type that istioctl walks, which some paths depend on.
func patched(in input) (result []byte, failure error) {
	defer func() {
		if cause := recover(); cause != nil {
			failure = fmt.Errorf("panic: %v", cause)
		}
	}()
	tree := make(map[any]any)
	if err := yaml2.Unmarshal(in.Object, &tree); err != nil {
		return nil, err
	}
	for _, patch := range in.Patches {
		place, _, err := tpath.GetPathContext(tree, util.PathFromString(patch.Path), true)
		if err != nil {
			return nil, err
		}
		if err := tpath.WritePathContext(place, patch.Value); err != nil {
			return nil, err
		}
	}
	text, err := yaml2.Marshal(tree)
	if err != nil {
		return nil, err
	}
	return yaml.YAMLToJSON(text)
}
