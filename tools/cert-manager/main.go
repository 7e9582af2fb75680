// The controllers of cert-manager that sign with a CA: its own program is in a Go module that is never published.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"github.com/cert-manager/cert-manager/pkg/controller"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/ca"
	_ "github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	_ "github.com/cert-manager/cert-manager/pkg/controller/issuers"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "of the cluster to work in")
	namespace := flag.String("cluster-resource-namespace", "cert-manager", "where ClusterIssuers have their Secrets")
	names := flag.String("controllers", "", "those that run, with commas between")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	options := controller.ContextOptions{
		Kubeconfig:    *kubeconfig,
		IssuerOptions: controller.IssuerOptions{ClusterResourceNamespace: *namespace},
	}
	if err := run(ctx, options, strings.Split(*names, ",")); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run returns when the context is done, or with what has ended one of the controllers.
func run(ctx context.Context, options controller.ContextOptions, names []string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	factory, err := controller.NewContextFactory(ctx, options)
	if err != nil {
		return err
	}
	known := controller.Known()
	controllers := make([]controller.Interface, len(names))
	for at, name := range names {
		construct, found := known[name]
		if !found {
			return fmt.Errorf("there is no controller %q", name)
		}
		if controllers[at], err = construct(factory); err != nil {
			return fmt.Errorf("controller %s: %w", name, err)
		}
	}
	// The informers belong to the factory, so any context of it starts those that the controllers have asked for.
	shared, err := factory.Build()
	if err != nil {
		return err
	}
	shared.SharedInformerFactory.Start(ctx.Done())
	shared.KubeSharedInformerFactory.Start(ctx.Done())

	failures := make([]error, len(names))
	var running sync.WaitGroup
	for at, one := range controllers {
		running.Go(func() {
			defer cancel()
			failures[at] = one.Run(1, ctx)
		})
	}
	running.Wait()
	return errors.Join(failures...)
}
