// The parts of Argo CD that bring a cluster to what is in git, without its API server, its command line and notifications;
// and what it, and Flux, say about the health of objects.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/health"
	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	controller "github.com/argoproj/argo-cd/v3/cmd/argocd-application-controller/commands"
	applicationset "github.com/argoproj/argo-cd/v3/cmd/argocd-applicationset-controller/commands"
	reposerver "github.com/argoproj/argo-cd/v3/cmd/argocd-repo-server/commands"
	"github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/lua"
)

func main() {
	root := &cobra.Command{Use: "argo-cd", SilenceUsage: true}
	root.AddCommand(controller.NewCommand(), applicationset.NewCommand(), reposerver.NewCommand(), &cobra.Command{
		Use:   "health",
		Short: "Read a health check and objects from standard input, and write what Argo CD and kstatus say of each",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return writeVerdicts() },
	})
	if root.Execute() != nil {
		os.Exit(1)
	}
}

type input struct {
	// Health checks as argocd-cm has them, by "group/Kind".
	HealthLua map[string]string            `json:"healthLua"`
	Objects   []*unstructured.Unstructured `json:"objects"`
}

type verdict struct {
	Status  string `json:"status"`
	Message string `json:"message"`
}

type output struct {
	// Absent when Argo CD has no health check for the kind.
	ArgoCD  *verdict `json:"argoCD,omitempty"`
	KStatus verdict  `json:"kstatus"`
}

func writeVerdicts() error {
	var in input
	if err := json.NewDecoder(os.Stdin).Decode(&in); err != nil {
		return err
	}
	overrides := make(lua.ResourceHealthOverrides, len(in.HealthLua))
	for kind, script := range in.HealthLua {
		overrides[kind] = v1alpha1.ResourceOverride{HealthLua: script}
	}
	outputs := make([]output, 0, len(in.Objects))
	for _, object := range in.Objects {
		verdicts, err := judge(object, overrides)
		if err != nil {
			return fmt.Errorf("%s %s: %w", object.GetKind(), object.GetName(), err)
		}
		outputs = append(outputs, verdicts)
	}
	return json.NewEncoder(os.Stdout).Encode(outputs)
}

func judge(object *unstructured.Unstructured, overrides lua.ResourceHealthOverrides) (output, error) {
	byArgoCD, err := health.GetResourceHealth(object, overrides)
	if err != nil {
		return output{}, err
	}
	byKStatus, err := status.Compute(object)
	if err != nil {
		return output{}, err
	}
	verdicts := output{KStatus: verdict{Status: byKStatus.Status.String(), Message: byKStatus.Message}}
	if byArgoCD != nil {
		verdicts.ArgoCD = &verdict{Status: string(byArgoCD.Status), Message: byArgoCD.Message}
	}
	return verdicts, nil
}
