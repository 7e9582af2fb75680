// Command grafana reads a dashboard as JSON, and says where it is none by Grafana's own schema.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	plugins.RegisterDefaultPlugins()
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	var given dashboard.Dashboard
	if err := found(given.UnmarshalJSONStrict(text)); err != nil {
		return err
	}
	return found(given.Validate())
}

// found is what is wrong: the library answers with an empty list where nothing is.
func found(err error) error {
	var problems cog.BuildErrors
	if errors.As(err, &problems) && len(problems) == 0 {
		return nil
	}
	return err
}
